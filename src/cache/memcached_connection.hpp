#pragma once

#include "cache/memcached_url.hpp"
#include "scalekit/core/deadline.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

extern "C" struct memcached_st;

namespace scalekit::cache::detail {

/// libmemcached, as it is used here: the text protocol, keys over hosts by ketama, no host ever
/// ejected (its keys would go to others, and what was erased there meanwhile come back with it), a
/// timeout at every wait.
///
/// Names are one word of at most 250 bytes. `group` is the name that says which host is meant.
/// Errors: unavailable (not done), commit_in_doubt (a change that may have been made),
/// execution_timeout, connection_lost, too_large, disk_full, backend_error.
///
/// Thread safety: one thread at a time.
class memcached_connection {
 public:
  memcached_connection(const std::vector<memcached_host>& hosts, std::string server);

  /// From here on nothing waits beyond it. Throws errc::acquire_timeout where it has passed.
  void begin(const deadline& until);

  struct item {
    item(std::string b, std::uint64_t c) : bytes(std::move(b)), cas(c) {}

    std::string bytes;
    /// Of this very version of it.
    std::uint64_t cas;
  };
  /// One for each name.
  using items = std::vector<std::optional<item>>;

  /// What is there of `names`, in one round trip.
  items get(std::string_view group, const std::vector<std::string>& names);

  /// False: something is there already; or, of replace(), something else or nothing. A `ttl` of 0
  /// is for ever.
  bool add(std::string_view group, std::string_view name, std::string_view bytes,
           std::chrono::milliseconds ttl);
  bool replace(std::string_view group, std::string_view name, std::string_view bytes,
               std::chrono::milliseconds ttl, std::uint64_t cas);
  void set(std::string_view group, std::string_view name, std::string_view bytes,
           std::chrono::milliseconds ttl);
  void remove(std::string_view name);

  /// The number of the host that has `name`.
  std::uint32_t host_of(std::string_view name);

  /// Whether it may be used again: what came late could be taken for another's answer.
  bool is_sound() const noexcept { return is_sound_; }

 private:
  struct deleter {
    void operator()(memcached_st* m) const noexcept;
  };

  std::size_t remaining_ms();
  void set_timeouts();
  [[noreturn]] void fail(int code, bool is_change);

  const std::string server_;
  std::unique_ptr<memcached_st, deleter> client_;
  time_point until_{};
  bool is_sound_ = true;
};

}  // namespace scalekit::cache::detail
