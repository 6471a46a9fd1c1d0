#pragma once

#include "scalekit/core/export.hpp"
#include "scalekit/redis/command.hpp"
#include "scalekit/redis/detail/request.hpp"

#include <concepts>
#include <cstddef>
#include <string>
#include <utility>

namespace scalekit::redis {

/// Commands that the server runs one after the other with nothing of others in between (MULTI and
/// EXEC), in one round trip on the shared connection. The reply is an array with that of each:
///
///     auto [hits, page] = client.call<std::tuple<std::int64_t, std::optional<std::string>>>(
///         transaction(command("INCR", "hits"), command("GET", "page")));
///
/// Where the server refuses one of them before any was run (an unknown command, no memory), none is
/// run and its error is thrown. What fails while they are run does not stop or undo the others: its
/// error stands in its place, and is thrown unless the type there is result<T>.
///
/// There is no WATCH: on a connection that many share it would watch for all of them. What must
/// decide by what it has read is a script.
///
/// Thread safety: one thread at a time.
class SCALEKIT_EXPORT transaction {
 public:
  transaction() = default;

  template <std::same_as<command>... Commands>
  explicit transaction(command first, Commands... others) {
    add(std::move(first));
    (add(std::move(others)), ...);
  }

  /// Throws errc::not_allowed and errc::not_supported as client::call() does.
  transaction& add(command c);

  std::size_t size() const noexcept { return count_; }

 private:
  friend detail::request detail::to_request(transaction&& t);

  std::string wire_;
  std::size_t count_ = 0;
  bool only_reads_ = true;
};

}  // namespace scalekit::redis
