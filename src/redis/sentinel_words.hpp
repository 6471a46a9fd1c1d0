#pragma once

#include "redis/place.hpp"
#include "scalekit/redis/reply.hpp"

#include <optional>
#include <string>
#include <string_view>

// What is said to a sentinel, and what its answers say; without I/O.

namespace scalekit::redis::detail {

/// What one sentinel says of a service.
struct sentinel_word {
  /// Where it says that the master is.
  std::optional<place> master = {};
  /// It watches no such service.
  bool is_unknown = false;
  /// So many of the others are there that they could agree on another master.
  bool has_quorum = true;
  /// Why there is no master; of one without a quorum, how it says so.
  std::string why = {};
};

/// Asks for the address of a service's master, and whether there is a quorum: two answers.
std::string sentinel_question(std::string_view service);
sentinel_word read_word(const reply& address, const reply& quorum);

/// Asks for the address, and to be told when it changes: an answer, and those of a subscription.
/// The sentinel reads both at once, so no change falls between them.
std::string sentinel_listen(std::string_view service);

/// The answer to the first half of either. Nothing: it is no address.
std::optional<place> read_address(const reply& address);

/// The new address in a message that `service` has got another master. Nothing: it is none, or of
/// another service.
std::optional<place> read_switch(const reply& message, std::string_view service);

}  // namespace scalekit::redis::detail
