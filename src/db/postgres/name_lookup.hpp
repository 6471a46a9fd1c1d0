#pragma once

#include "scalekit/core/clock.hpp"

#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

namespace scalekit::db::postgres {

/// What the resolver says of a name.
struct found_addresses {
  /// In its order, as numbers.
  std::vector<std::string> addresses;
  /// Where there are none: what getaddrinfo() returned.
  int why_none = 0;
};

/// Where a server is that is known by its name. The system's resolver can be told neither to stop
/// nor for how long to try. So it is asked on a thread of its own, which is left behind by who does
/// not wait any longer; by one thread at a time, however many wait for its answer.
///
/// Thread safety: every member may be called from any thread.
class name_lookup {
 public:
  explicit name_lookup(std::string name) : name_(std::move(name)) {}

  /// Whether it takes a resolver to find `host`, which is neither empty, an address nor a path.
  static bool is_name(const std::string& host);

  const std::string& name() const noexcept { return name_; }

  /// Blocks. Nothing: there was no answer until `until`, or `stop` was requested. Throws
  /// std::system_error where a thread cannot be started.
  std::optional<found_addresses> find(time_point until, const std::stop_token& stop);

 private:
  struct question;
  std::shared_ptr<question> ask();

  const std::string name_;
  std::mutex mutex_;
  /// The last one.
  std::shared_ptr<question> asked_;
};

}  // namespace scalekit::db::postgres
