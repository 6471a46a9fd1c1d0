#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <utility>

namespace scalekit::queue {

/// How an attempt ended: what a handler returns, or throws from deep inside.
///
/// A handler that returns nothing says done(); one that throws anything else says retry(what()).
/// A reason is kept with the job and shown to people: put no secret in it. It is cut after
/// 1 KiB.
class outcome {
 public:
  enum class verb { done, retry, snooze, discard, cancel, bury };

  /// The work is done: the job is removed.
  static outcome done() { return {verb::done, {}, {}}; }

  /// An error: try again after the kind's backoff, or after `in` when the handler knows better
  /// (a Retry-After header). Counts as an attempt; the last one makes the job a dead letter.
  static outcome retry(std::string reason, std::optional<std::chrono::microseconds> in = {}) {
    return {verb::retry, std::move(reason), in};
  }

  /// Not yet: run again after `in`, at most ten years. Counts neither as an attempt nor as an
  /// error.
  static outcome snooze(std::chrono::microseconds in) { return {verb::snooze, {}, in}; }

  /// The work turned out to be pointless: the job is removed.
  static outcome discard(std::string reason) { return {verb::discard, std::move(reason), {}}; }

  /// Somebody no longer wants the work: the job is removed.
  static outcome cancel(std::string reason) { return {verb::cancel, std::move(reason), {}}; }

  /// No attempt can succeed (the payload is malformed): the job becomes a dead letter at once.
  static outcome bury(std::string reason) { return {verb::bury, std::move(reason), {}}; }

  verb what() const noexcept { return verb_; }
  const std::string& reason() const noexcept { return reason_; }
  /// The pause that the handler asked for.
  const std::optional<std::chrono::microseconds>& in() const noexcept { return in_; }

 private:
  outcome(verb v, std::string reason, std::optional<std::chrono::microseconds> in)
      : verb_(v), reason_(std::move(reason)), in_(in) {}

  verb verb_;
  std::string reason_;
  std::optional<std::chrono::microseconds> in_;
};

// `return queue::snooze(5min);`, `throw queue::discard("unsubscribed");`

inline outcome snooze(std::chrono::microseconds in) {
  return outcome::snooze(in);
}
inline outcome discard(std::string reason) {
  return outcome::discard(std::move(reason));
}
inline outcome cancel(std::string reason) {
  return outcome::cancel(std::move(reason));
}
inline outcome bury(std::string reason) {
  return outcome::bury(std::move(reason));
}

}  // namespace scalekit::queue
