#pragma once

// A rule, checked and prepared for matching.

#include "limit/cell_table.hpp"
#include "limit/gcra.hpp"
#include "limit/key_hash.hpp"
#include "scalekit/limit/rule.hpp"

#include <span>

namespace scalekit::limit::detail {

/// `r` with `burst` and `max_keys` as they are applied.
/// Throws std::invalid_argument naming the rule, the field, the value and the legal range.
rule checked(rule r);

class compiled_rule {
 public:
  /// `r` comes from checked() and outlives this object.
  explicit compiled_rule(const rule& r);

  /// Adds what the rule counts by to `key`; false: the rule does not apply.
  bool match(std::span<const identity> who, key_hasher& key) const noexcept;

  const rule& face() const noexcept { return *rule_; }
  const gcra& algorithm() const noexcept { return gcra_; }
  cell_table& cells() const noexcept { return *cells_; }

 private:
  const rule* rule_;
  // What match() needs of the rule, in one place: it runs for every rule and call.
  std::span<const kind> by_;
  std::span<const condition> only_if_;
  gcra gcra_;
  std::unique_ptr<cell_table> cells_;
};

inline const identity* find(std::span<const identity> who, const kind& what) noexcept {
  for (const auto& id : who) {
    if (id.what() == what) return &id;
  }
  return nullptr;
}

inline bool compiled_rule::match(std::span<const identity> who, key_hasher& key) const noexcept {
  for (const auto& wanted : only_if_) {
    const auto* given = find(who, wanted.what);
    if (given == nullptr || given->bytes() != wanted.value) return false;
  }
  for (const auto& what : by_) {
    const auto* given = find(who, what);
    if (given == nullptr) return false;
    key.add(given->bytes());
  }
  return true;
}

}  // namespace scalekit::limit::detail
