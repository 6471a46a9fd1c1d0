#pragma once

#include "cache/tiers.hpp"
#include "scalekit/cache/detail/typed_call.hpp"
#include "scalekit/cache/policy.hpp"
#include "scalekit/core/deadline.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace scalekit::cache::detail {

/// A load that can be run at any time: it has what it needs, the name of its type too.
struct owned_load {
  owned_load(std::string_view k, const policy& h, raw_loader l, const deadline& u)
      : key(k), type(h.type), how(h), loader(std::move(l)), until(u) {
    how.type = type;
  }
  owned_load(const owned_load&) = delete;
  owned_load& operator=(const owned_load&) = delete;

  std::string key;
  std::string type;
  policy how;
  raw_loader loader;
  deadline until;
};

/// When a load that begins now has taken too long.
inline std::optional<deadline> limit_of(const policy& how) noexcept {
  if (how.load_timeout.count() == 0) return std::nullopt;
  return deadline::after(how.load_timeout);
}

/// A lookup that has a loader. Refers to what its caller has.
struct load_request {
  hashed_key key;
  const policy& how;
  const raw_loader& loader;
  /// Whether the loader may be kept, and run after the call has returned.
  bool is_owned;
  deadline until;
  value_port& port;
  /// Whether what is stale may be looked for below memory.
  bool may_ask_for_stale = true;
};

}  // namespace scalekit::cache::detail
