#pragma once

#include "scalekit/cache/store.hpp"

#include <string_view>
#include <utility>

namespace scalekit::cache {

/// Writes a value to where it belongs, then to the cache: `write(value)` is called on this thread.
/// A load of the key that began before is not kept. Of two at the same time for one key the cache
/// keeps the one whose set is the last, which need not be the one that was written last: where that
/// can be, erase the key instead.
///
///     cache::write_through(store, "price:42", price, how, [&](double p) { update_price(42, p); });
///
/// When `write` throws, it may have been written or not: the key is erased, so that whoever asks
/// next loads it, and what it threw is thrown.
///
/// Errors of the cache: as store::set(); invalid_argument, not_allowed, closed and forked before
/// anything is written, the others when it is, and the older value is gone from the cache then.
template <class V, class Write>
void write_through(store cache, std::string_view key, const V& value, const policy& how,
                   Write&& write, const call_options& options = {}) {
  cache.check_set(key, how, options);
  try {
    std::forward<Write>(write)(value);
  } catch (...) {
    try {
      cache.erase(key, options);
    } catch (...) {
      // Gone from this process, and owed to a server; what `write` threw says more.
    }
    throw;
  }
  cache.set(key, value, how, options);
}

}  // namespace scalekit::cache
