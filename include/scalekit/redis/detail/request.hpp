#pragma once

#include "scalekit/core/export.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace scalekit::redis {

class command;
class script_call;
class transaction;

namespace detail {

/// What is sent for one call.
struct request {
  /// For errors.
  std::string name = {};
  std::string bytes = {};
  /// Where in `bytes` it begins.
  std::size_t start = 0;
  /// Answers that come for it: the last one is the call's, those before say "QUEUED", or why not.
  std::uint32_t replies = 1;
  /// Changes nothing, so that it may be sent again when a connection is lost.
  bool is_read = false;
  /// May wait in the server until something happens.
  bool blocks = false;
  /// ASKING goes before it: the node serves it once though another still has its slot.
  bool asks = false;
  /// The text of an EVALSHA's script, for a server that does not have it; else null.
  std::shared_ptr<const std::string> script = {};

  std::string_view wire() const noexcept { return std::string_view(bytes).substr(start); }
  std::size_t size() const noexcept { return bytes.size() - start; }
};

/// Throws errc::not_allowed and errc::not_supported for commands that would change what a shared
/// connection is to its other users.
SCALEKIT_EXPORT request to_request(command&& c);
/// Throws errc::invalid_argument for one without a command.
SCALEKIT_EXPORT request to_request(transaction&& t);
SCALEKIT_EXPORT request to_request(script_call&& c);

}  // namespace detail
}  // namespace scalekit::redis
