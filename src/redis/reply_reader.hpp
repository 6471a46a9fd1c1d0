#pragma once

#include "scalekit/redis/reply.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

struct redisReader;

namespace scalekit::redis::detail {

/// Makes replies of what comes over the wire: hiredis reads the protocol, and tells of what it
/// finds to functions of ours, which build each reply once and in its place.
///
/// Holds at most `max_reply` bytes of a reply that is not complete, and a few KiB, whatever its
/// lengths and counts promise; an array may nest seven deep, which is hiredis's own limit.
///
/// Thread safety: one thread at a time.
class reply_reader {
 public:
  explicit reply_reader(std::size_t max_reply);
  ~reply_reader();
  reply_reader(const reply_reader&) = delete;
  reply_reader& operator=(const reply_reader&) = delete;

  /// To be read: must live until next() has returned nothing, or give() is called again.
  void give(std::string_view bytes) noexcept { rest_ = bytes; }

  /// The next whole reply; nothing when more bytes are needed, or once it has failed.
  std::optional<reply> next();

  enum class failure { none, protocol, too_large };
  failure failed() const noexcept { return failed_; }
  /// For people; says nothing of what came.
  const std::string& why() const noexcept { return why_; }

  /// Bytes that were given and are not part of a reply that next() has returned.
  std::size_t unread() const noexcept { return taken_ + rest_.size(); }

 private:
  struct builder;
  struct closer {
    void operator()(redisReader* r) const noexcept;
  };

  bool feed();
  void fail(failure how, std::string why);

  std::unique_ptr<redisReader, closer> reader_;
  const std::size_t max_reply_;
  std::string_view rest_;
  reply root_;
  /// Of the reply that is being read: bytes that hiredis was given, and bytes that were built.
  std::size_t taken_ = 0;
  std::size_t built_ = 0;
  failure failed_ = failure::none;
  std::string why_;
};

}  // namespace scalekit::redis::detail
