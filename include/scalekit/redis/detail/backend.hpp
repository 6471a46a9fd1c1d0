#pragma once

#include "scalekit/core/execution.hpp"
#include "scalekit/core/export.hpp"
#include "scalekit/redis/detail/call.hpp"
#include "scalekit/redis/detail/request.hpp"
#include "scalekit/redis/options.hpp"
#include "scalekit/redis/reply.hpp"
#include "scalekit/redis/statistics.hpp"

#include <chrono>
#include <memory>
#include <string>

namespace scalekit::redis::detail {

/// What a client talks to: a server, or a cluster of them.
///
/// Thread safety: every member may be called from any thread.
class SCALEKIT_EXPORT backend {
 public:
  backend() = default;
  virtual ~backend() = default;
  backend(const backend&) = delete;
  backend& operator=(const backend&) = delete;

  /// Runs it on the calling thread, or waits for it there. May move from `what`, but not its name.
  virtual reply run(request& what, const call_options& options) = 0;

  /// Finishes `c` once; never from inside this function.
  virtual void start(std::shared_ptr<call> c, const call_options& options) = 0;

  virtual void close(std::chrono::nanoseconds timeout) = 0;
  virtual client_statistics statistics() const = 0;
  /// Of calls that say none.
  virtual std::chrono::nanoseconds timeout() const noexcept = 0;
  virtual const scalekit::execution& execution() const noexcept = 0;
  virtual const std::string& name() const noexcept = 0;
};

}  // namespace scalekit::redis::detail
