#pragma once

#include "scalekit/cache/policy.hpp"
#include "scalekit/core/export.hpp"

#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace scalekit::adapters {

/// How the result of a read may be kept, and which tables it comes from:
///
///     const adapters::cached by_category{cache::ttl::product, {"product", "stock"}};
///
/// Name every table that the statement reads, those behind views, functions and row level security
/// included: a change of one that is not named is not seen before the time to live is over. Spelled
/// as in the catalogue ("product", or "shop.product" to tell it from the product of other schemas).
/// The names belong to your code, never to a user: they are kept for ever.
///
/// A value; make it once and use it for many reads.
class SCALEKIT_EXPORT cached {
 public:
  /// `how` is as for cache::store; negative_ttl is not used, since no rows are a result too, and
  /// what concerns stale values and refreshes is not, since a result is current or not served.
  /// Throws errc::invalid_argument for no table and for an empty name.
  cached(const cache::policy& how, std::initializer_list<std::string_view> tables);
  cached(const cache::policy& how, std::vector<std::string> tables);

  const cache::policy& how() const noexcept { return how_; }
  std::span<const std::string> tables() const noexcept { return tables_; }

 private:
  cache::policy how_;
  std::vector<std::string> tables_;
};

}  // namespace scalekit::adapters
