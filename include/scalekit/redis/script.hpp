#pragma once

#include "scalekit/core/export.hpp"
#include "scalekit/redis/command.hpp"
#include "scalekit/redis/detail/request.hpp"

#include <cstddef>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace scalekit::redis {

/// A Lua script with keys and arguments, to be run by a call. See script::operator().
class SCALEKIT_EXPORT script_call {
 public:
  /// One more argument (ARGV in the script).
  template <command_argument Arg>
  script_call&& add(const Arg& arg) && {
    command_.add(arg);
    return std::move(*this);
  }

 private:
  friend class script;
  friend detail::request detail::to_request(script_call&& c);

  script_call(command c, std::shared_ptr<const std::string> text)
      : command_(std::move(c)), text_(std::move(text)) {}

  command command_;
  std::shared_ptr<const std::string> text_;
};

/// A Lua script that runs on the server. A call sends its hash; a server that does not have the
/// script, having been restarted perhaps, is sent its text within the same call.
///
///     const script take{"local left = redis.call('DECR', KEYS[1]) ..."};
///     auto left = client.call<std::int64_t>(take({"stock:42"}, 1));
///
/// A copy shares the text. Thread safety: const members may be called from any thread.
class SCALEKIT_EXPORT script {
 public:
  explicit script(std::string text);

  /// The keys that it touches, and its other arguments.
  template <command_argument... Args>
  script_call operator()(std::initializer_list<std::string_view> keys, const Args&... args) const {
    command c("EVALSHA", hash_, keys.size());
    for (const auto key : keys) c.add(key);
    (c.add(args), ...);
    return {std::move(c), text_};
  }

  /// The same with any range of keys.
  template <command_argument Keys, command_argument... Args>
    requires detail::argument_range<Keys>
  script_call with_keys(const Keys& keys, const Args&... args) const {
    command c("EVALSHA", hash_, static_cast<std::size_t>(std::ranges::distance(keys)));
    c.add(keys);
    (c.add(args), ...);
    return {std::move(c), text_};
  }

  /// SHA-1 of the text, as the server knows it: 40 digits.
  const std::string& hash() const noexcept { return hash_; }

 private:
  std::shared_ptr<const std::string> text_;
  std::string hash_;
};

}  // namespace scalekit::redis
