#pragma once

#include "data_dir.hpp"
#include "options.hpp"

#include <scalekit/cache/store.hpp>
#include <scalekit/core/execution.hpp>
#include <scalekit/core/log.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/json/object.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace storefront {

/// What kinds of pages are kept; each has its own time to live.
enum class page_type { product, query, dashboard };

std::string product_key(std::int64_t id);

/// Finished response bodies.
///
/// Two stores, because the two kinds of pages differ: a product is read from SQLite in the time
/// that a file would take, so it is kept in memory, and where several shops share a server, there;
/// a dashboard takes a thousand times as long, so it is kept in files too and survives a restart.
class page_cache {
 public:
  using loader = std::function<std::string()>;

  /// In mode direct nothing is kept.
  page_cache(const options& settings, const data_dir& dirs, scalekit::execution exec,
             scalekit::log_sink log);

  /// The body under `key`, or what `load` returns; load may block, and what it throws is thrown
  /// to everybody who waits for the key. That of a dashboard may be run after the call has
  /// completed: it must own what it uses.
  boost::asio::awaitable<std::string> get_or_load(page_type type, std::string key, loader load);

  /// Forgets the page of a product, and a load of it that is under way.
  boost::asio::awaitable<void> forget_product(std::int64_t id);

  /// Forgets everything. Blocks.
  void clear();

  boost::json::object to_json() const;

 private:
  struct stores {
    scalekit::cache::store memory;
    scalekit::cache::store files;
  };

  scalekit::execution exec_;
  bool is_shared_;
  std::optional<stores> stores_;
};

}  // namespace storefront
