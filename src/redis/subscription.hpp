#pragma once

#include "scalekit/redis/reply.hpp"
#include "scalekit/redis/subscriber.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace scalekit::redis::detail {

/// What comes on a connection that has subscribed, in its order; without I/O.
class subscription {
 public:
  explicit subscription(const subscriber_params& params);

  /// What to send: at first, and after `more`.
  const std::string& bytes() const noexcept { return bytes_; }

  enum class heard {
    /// Nothing to tell anybody.
    nothing,
    /// Further bytes() are to be sent.
    more,
    /// All subscriptions hold now.
    complete,
    message,
    /// why() says what is wrong: the connection is of no use.
    refused,
  };
  heard take(reply&& next);

  /// After `message`, and after `complete` for those that came before the last subscription held.
  std::vector<reply>& messages() noexcept { return messages_; }
  const std::string& why() const noexcept { return why_; }

  bool is_complete() const noexcept { return missing_ == 0; }

  /// In place. Nothing for what is no message.
  static std::optional<message> message_in(const reply& r);

  struct changes {
    std::vector<std::string_view> keys;
    bool is_everything = false;
  };
  /// Of a message; in place. Nothing for what does not tell of tracked keys.
  static std::optional<changes> changes_in(const reply& r);

 private:
  std::string tracking_by(std::int64_t connection) const;

  const std::vector<std::string> prefixes_;
  /// Whether the server has yet to say which connection this is.
  bool awaits_id_;
  std::string subscribing_;
  std::string bytes_;
  std::size_t missing_;
  std::vector<reply> messages_;
  std::string why_;
};

}  // namespace scalekit::redis::detail
