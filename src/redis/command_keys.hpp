#pragma once

#include "scalekit/redis/detail/request.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

// Where the keys of a command are, and with them the node of a cluster that it goes to.

namespace scalekit::redis::detail {

/// The keys of one command, as it is sent.
///
/// What is not known (of a module, or newer) is taken to have its key first, as most commands have.
/// Where that is wrong the server says by MOVED where the command belongs: nothing is ever run on
/// the wrong node.
std::vector<std::string_view> keys_of(std::string_view name, std::string_view wire);

/// The slots of a request's keys; of a transaction, of all of its commands.
struct slot_span {
  /// Of the first key; nothing: there is none, and any node can run it.
  std::optional<std::uint16_t> first = {};
  /// The first that is another one.
  std::optional<std::uint16_t> other = {};
};
slot_span slots_of(const request& what);

/// Takes apart what is sent for several commands.
class wire_commands {
 public:
  explicit wire_commands(std::string_view wire) noexcept : rest_(wire) {}

  /// The next command, with its header; nothing after the last.
  std::optional<std::string_view> next() noexcept;

 private:
  std::string_view rest_;
};

}  // namespace scalekit::redis::detail
