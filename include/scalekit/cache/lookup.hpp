#pragma once

#include <chrono>
#include <exception>
#include <optional>

namespace scalekit::cache {

/// What a lookup found.
enum class freshness {
  /// A value within its time to live.
  fresh,
  /// A value past it, served because the policy (policy::stale_for) or the caller
  /// (call_options::allow_stale) allows that.
  stale,
  /// No value: it is known that there is none.
  negative,
  /// No value: nothing is known.
  miss,
};

/// Where it was found.
enum class tier {
  /// Nowhere.
  none,
  memory,
  file,
  /// The server that several machines share.
  shared,
  /// The loader was run, by this call or by one that it waited for.
  loader,
};

constexpr const char* to_string(freshness f) noexcept {
  switch (f) {
    case freshness::fresh:
      return "fresh";
    case freshness::stale:
      return "stale";
    case freshness::negative:
      return "negative";
    case freshness::miss:
      return "miss";
  }
  return "";
}

constexpr const char* to_string(tier t) noexcept {
  switch (t) {
    case tier::none:
      return "none";
    case tier::memory:
      return "memory";
    case tier::file:
      return "file";
    case tier::shared:
      return "shared";
    case tier::loader:
      return "loader";
  }
  return "";
}

/// A lookup's value and what is known about it. True, as a bool, when there is a value.
template <class V>
struct lookup {
  std::optional<V> value;
  cache::freshness freshness = cache::freshness::miss;
  cache::tier tier = cache::tier::none;
  /// Time since the value was stored; zero where the loader just returned it.
  std::chrono::milliseconds age{0};
  /// What was left of its time in the tier that it was found in; negative: how long it has been
  /// stale. Zero where the loader just returned it.
  std::chrono::milliseconds expires_in{0};
  /// Of a stale value: why it could not be refreshed, when a load of it has failed. Else null.
  std::exception_ptr error = {};

  explicit operator bool() const noexcept { return value.has_value(); }

  /// Precondition of both: there is a value. `value.value()` checks.
  V& operator*() & noexcept { return *value; }
  const V& operator*() const& noexcept { return *value; }
  V&& operator*() && noexcept { return *std::move(value); }
  V* operator->() noexcept { return &*value; }
  const V* operator->() const noexcept { return &*value; }
};

}  // namespace scalekit::cache
