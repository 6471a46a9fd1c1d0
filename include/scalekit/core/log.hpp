#pragma once

#include "scalekit/core/export.hpp"

#include <functional>
#include <initializer_list>
#include <span>
#include <string_view>
#include <utility>

namespace scalekit {

/// How much a person should care. `warning`: works, but look at it soon; `error`: a promise was
/// not kept, or soon will not be.
enum class log_level { debug, info, warning, error };

/// One event. Names are dotted and stable ("db.pool.exhausted"): alerts may match on them.
///
/// Everything is a view that dies when the sink returns. Secrets, payloads and bind values are
/// never in it.
struct log_record {
  log_level level = log_level::info;
  /// The event's stable name.
  std::string_view event;
  /// A sentence for a person.
  std::string_view message;
  /// Further facts, as (name, value).
  std::span<const std::pair<std::string_view, std::string_view>> fields;
};

/// Where a component's events go. Default-constructed: nowhere, at the cost of one branch.
///
/// The callback is called on the thread on which the event happens, possibly several at once, and
/// must not call back into the component. What it throws is swallowed.
class SCALEKIT_EXPORT log_sink {
 public:
  using callback = std::function<void(const log_record&)>;

  log_sink() = default;

  /// Records below `least` are dropped before they are formatted.
  explicit log_sink(callback to, log_level least = log_level::info);

  bool wants(log_level level) const noexcept { return to_ && level >= least_; }

  void operator()(log_level level, std::string_view event, std::string_view message,
                  std::initializer_list<std::pair<std::string_view, std::string_view>> fields = {})
      const noexcept;

 private:
  callback to_;
  log_level least_ = log_level::info;
};

}  // namespace scalekit
