#pragma once

#include "scalekit/core/export.hpp"
#include "scalekit/core/trace_context.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace scalekit {

/// What one request of the host's service shares between the calls it makes: an identity for
/// N+1 detection, and the trace context for what leaves the process.
///
/// A value that is handed down in call options: thread-locals would break under coroutines.
/// Copies are the same scope. Default-constructed: no scope, and nothing is grouped.
///
/// Thread safety: copies may be used from any thread.
class SCALEKIT_EXPORT request_scope {
 public:
  request_scope() = default;

  /// A new scope. `name` says what kind of request it is ("GET /products/:id"); it appears in
  /// reports, so keep its values few. `trace` is what the request's headers said, or empty.
  static request_scope begin(std::string name, trace_context trace = {});

  explicit operator bool() const noexcept { return state_ != nullptr; }

  /// Unique in the process while the scope lives; 0 for no scope.
  std::uint64_t id() const noexcept;

  const std::string& name() const noexcept;
  const trace_context& trace() const noexcept;

 private:
  struct state;
  std::shared_ptr<const state> state_;
};

}  // namespace scalekit
