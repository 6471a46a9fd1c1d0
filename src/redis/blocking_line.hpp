#pragma once

#include "redis/blocking_socket.hpp"
#include "redis/login.hpp"
#include "redis/reply_reader.hpp"
#include "redis/site.hpp"
#include "redis/tls_session.hpp"
#include "scalekit/core/clock.hpp"
#include "scalekit/redis/detail/call.hpp"
#include "scalekit/redis/detail/request.hpp"
#include "scalekit/redis/reply.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace scalekit::redis::detail {

/// A connection that one thread uses at a time and drives itself, by waiting in system calls.
///
/// Thread safety: one thread at a time; interrupt() from any thread.
class blocking_line {
 public:
  explicit blocking_line(site& at);

  enum class end {
    done,
    late,
    /// Nothing the server could have run was sent.
    unsent,
    lost,
    too_large,
  };

  /// Connects to the server at `where`, which is `to`, and logs in. Not done: why() says why.
  end open(const place& where, const endpoint& to, time_point until);
  /// The same, where another login is wanted than a server's.
  end open(const place& where, const endpoint& to, time_point until, login hello);

  /// Sends a command and waits for its answers, of which the last one counts. Another end than
  /// done: the line is of no use any more, and why() says why.
  end exchange(const request& what, time_point until, answers& to_come, reply& answer);

  // Half of an exchange each.

  end send(std::string_view bytes, time_point until);
  end receive(reply& next, time_point until);

  /// All that has come was asked for.
  bool is_in_step() const noexcept { return reader_.unread() == 0; }
  /// Nothing has come since, and the other end is there as far as is known.
  bool is_quiet() const noexcept { return socket_.is_quiet(); }
  void interrupt() noexcept { socket_.interrupt(); }
  const std::string& why() const noexcept { return why_; }

  time_point used{};
  /// Of its master; see master_view.
  std::uint64_t term = 0;
  time_point sent_at{};
  time_point last_heard{};

 private:
  bool take(std::size_t size, time_point until);
  end fail(int error, end otherwise);

  site& site_;
  blocking_socket socket_;
  std::unique_ptr<tls_session> tls_;
  reply_reader reader_;
  std::array<char, std::size_t{16} << 10> in_;
  std::string plain_;
  std::string why_;
};

}  // namespace scalekit::redis::detail
