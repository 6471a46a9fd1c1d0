#pragma once

#include "scalekit/core/export.hpp"
#include "scalekit/core/random.hpp"
#include "scalekit/core/result.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace scalekit {

/// Which distributed trace a request belongs to: the W3C Trace Context headers as a value.
///
/// Default-constructed: no trace. See https://www.w3.org/TR/trace-context/ (level 1, and the
/// random flag of level 2).
///
/// Thread safety: that of a string.
class SCALEKIT_EXPORT trace_context {
 public:
  using trace_id_type = std::array<std::uint8_t, 16>;
  using span_id_type = std::array<std::uint8_t, 8>;

  trace_context() = default;

  /// Reads the headers of a request. `tracestate` may be empty; several such headers are joined
  /// with commas.
  ///
  /// Never throws, whatever the bytes: errc::invalid_argument says what is wrong with
  /// `traceparent`, without quoting it; start a trace of your own then. A higher version than 00
  /// is read as far as 00 goes. A malformed `tracestate` is dropped and the rest kept, as the
  /// recommendation demands.
  static result<trace_context> parse(std::string_view traceparent,
                                     std::string_view tracestate = {});

  /// The first span of a new trace. `sampled` asks everybody downstream to record it.
  static trace_context start(random_generator& random, bool sampled = false);

  /// The same trace with a span id of its own: what a call to another service carries. Without a
  /// trace there is no child either: the result is empty.
  trace_context child(random_generator& random) const;

  /// False for "no trace".
  explicit operator bool() const noexcept { return trace_id_ != trace_id_type{}; }

  /// "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"; empty for no trace.
  std::string traceparent() const;

  /// The other tracers' entries, passed on unchanged but for white space; often empty.
  const std::string& tracestate() const noexcept { return tracestate_; }

  const trace_id_type& trace_id() const noexcept { return trace_id_; }
  const span_id_type& span_id() const noexcept { return span_id_; }

  /// The trace id as 32 lower-case hex digits, for logs; empty for no trace.
  std::string trace_id_hex() const;

  bool is_sampled() const noexcept { return (flags_ & flag_sampled) != 0; }

  friend bool operator==(const trace_context&, const trace_context&) = default;

 private:
  static constexpr std::uint8_t flag_sampled = 1;
  static constexpr std::uint8_t flag_random = 2;

  trace_id_type trace_id_{};
  span_id_type span_id_{};
  std::uint8_t flags_ = 0;
  std::string tracestate_;
};

}  // namespace scalekit
