#pragma once

#include "scalekit/core/error.hpp"

#include <string_view>

namespace scalekit::redis::detail {

/// What a client has to know of a command.
struct command_kind {
  /// Changes nothing that its caller or another could tell from one run to the next.
  bool is_read = false;
  /// May wait in the server until something happens.
  bool blocks = false;
  /// Why it is not sent on a connection that others share; empty: it is.
  std::string_view refused = {};
  errc refusal = errc::not_allowed;
};

/// `name` in upper or lower case; `wire` is the whole command, of which for some the arguments
/// decide. A command that is not known (of a module, or newer) may write, and does not wait.
command_kind kind_of(std::string_view name, std::string_view wire) noexcept;

}  // namespace scalekit::redis::detail
