#pragma once

#include "scalekit/core/deadline.hpp"
#include "scalekit/core/error.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace scalekit::cache::detail {

/// What the tier asks of a server that several machines share. See shared_frame.hpp for what
/// stands there, and shared_tier.hpp for why it holds under concurrent changes.
enum class shared_verb {
  /// What stands under the keys, as it is. Changes nothing.
  find,
  /// The same for one key, in one step with: where nothing alive stands there, a new placeholder
  /// is put in its place, which is what is found then. Where the server takes no writes, there may
  /// be no placeholder.
  claim,
  /// Stores the one item where what `expected` was taken from still stands (is_same()).
  fill,
  /// Stores each item. What could not be stored has left nothing behind.
  put,
  /// Nothing stands under the keys any more.
  erase,
  /// Nothing that stands there is alive any more, nor is any placeholder.
  clear,
};

const char* to_string(shared_verb verb) noexcept;

inline bool is_lookup(shared_verb verb) noexcept {
  return verb == shared_verb::find || verb == shared_verb::claim;
}

struct shared_item {
  std::string key;
  /// Of an entry, as in a file.
  std::string bytes;
  /// The server may drop it then; its own header says when it is dead.
  std::chrono::milliseconds ttl;
  /// Wall clock: since when that counts.
  std::int64_t created_us = 0;
};

struct shared_request {
  shared_verb verb = shared_verb::find;
  /// Of find, claim (one) and erase.
  std::vector<std::string> keys = {};
  /// Of fill (one) and put.
  std::vector<shared_item> items = {};
  std::string expected = {};
};

struct shared_answer {
  /// Of find and claim: what stands under each key and is alive as far as the epoch goes. Foreign
  /// bytes are alive: who reads them sees what they are.
  std::vector<std::optional<std::string>> found = {};
  /// Of fill and put, for each item.
  std::vector<bool> stored = {};
};

/// An answer, or why there is none.
struct shared_result {
  shared_answer answer = {};
  std::optional<error> failure = {};
  /// Not the server's, but a fallback's: see failover.
  bool is_aside = false;
};

/// A kind of server.
///
/// Errors are those of scalekit, by what they mean for a change: unavailable, acquire_timeout and
/// shed say that it was not made, commit_in_doubt that it may have been.
///
/// Thread safety: all members may be called from any thread.
class shared_driver {
 public:
  shared_driver() = default;
  virtual ~shared_driver() = default;
  shared_driver(const shared_driver&) = delete;
  shared_driver& operator=(const shared_driver&) = delete;

  using callback = std::function<void(shared_result)>;

  /// Whether start() may be called; otherwise what is asynchronous runs run() on the work executor.
  virtual bool is_asynchronous() const noexcept = 0;

  /// Blocks, not beyond `until`. Throws scalekit::error.
  virtual shared_answer run(const shared_request& what, const deadline& until) = 0;

  /// Calls `then` once, from any thread, never from inside this function.
  virtual void start(const shared_request& what, const deadline& until, std::stop_token stop,
                     callback then) = 0;

  /// For people: "10.0.0.9:6379".
  virtual const std::string& name() const noexcept = 0;
};

}  // namespace scalekit::cache::detail
