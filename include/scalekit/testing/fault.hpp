#pragma once

#include "scalekit/core/error.hpp"

#include <chrono>
#include <cstddef>
#include <limits>
#include <optional>
#include <string>

namespace scalekit::testing {

/// What of a database a fault can be met by.
enum class call_kind {
  /// A statement that is not to write: read(), and what execute() takes for one.
  read,
  /// Any other statement, and a script.
  write,
  /// The begin of a transaction, before it has a connection.
  begin,
  commit,
};

/// What is to go wrong, and with which calls: see database::inject().
///
///     {.on = call_kind::commit, .error = errc::conflict, .times = 2}       // the next two commits
///     {.text = "from stock", .every = 3, .error = errc::shed, .times = 5}
///
/// The statements of a batch are one call, which meets a fault when one of them does.
struct fault {
  static constexpr std::size_t unlimited = std::numeric_limits<std::size_t>::max();

  /// Default: calls of all kinds.
  std::optional<call_kind> on = {};

  /// Only statements with this in their text, written so. Default empty: any. Begins and commits
  /// have no text: not legal where `on` names them.
  std::string text = {};

  /// Of the calls that it is for it meets every so manyth. Default 1, each; range 1 to 1'000'000.
  std::size_t every = 1;

  /// What these calls fail with, as if the server had said it. Default: with nothing, they are only
  /// delayed. Nothing is changed by a call that fails; a transaction in which one does is rolled
  /// back, and refuses all that follows, as after the loss of its connection.
  ///
  /// errc::commit_in_doubt is for `on` write or commit, and not for writes in transactions, whose
  /// outcome is known.
  std::optional<errc> error = {};

  /// With errc::commit_in_doubt: true, the change is made all the same. Default false: it is not.
  bool is_made = false;

  /// How much later these calls are made, or fail, by the clock of the database. Default 0. Range 0
  /// to 24 h.
  std::chrono::nanoseconds delay = {};

  /// They are made, or fail, when they are released: see injected_fault. Not with `delay`.
  bool hold = false;

  /// How many calls it meets until it is used up. Default 1; not 0. `unlimited`: until it is
  /// removed, as in an outage.
  std::size_t times = 1;
};

}  // namespace scalekit::testing
