#include "page_cache.hpp"

#include <scalekit/core/async.hpp>

#include <boost/asio/use_awaitable.hpp>
#include <boost/json/array.hpp>

#include <chrono>
#include <utility>

namespace storefront {

namespace asio = boost::asio;
namespace cache = scalekit::cache;
using namespace std::chrono_literals;

namespace {

//[dashboard-policy
/// Nobody waits for a dashboard twice: one that is up to ten minutes old is shown at once while it
/// is made anew, and an older one if the database is away.
constexpr cache::policy dashboard_policy{
    .type = "dashboard", .ttl = 2min, .stale_for = 24h, .stale_while_refreshing = 8min};
//]

/// How long one shop may show what another has sold, should it not hear of that.
constexpr cache::policy product_policy{.type = "product", .ttl = 30min, .memory_ttl = 2s};

const cache::policy& policy_of(page_type type, bool is_shared) {
  switch (type) {
    case page_type::product:
      return is_shared ? product_policy : cache::ttl::product;
    case page_type::query:
      return cache::ttl::query;
    case page_type::dashboard:
      return dashboard_policy;
  }
  return cache::ttl::query;
}

boost::json::object describe(const cache::statistics& stats) {
  return {{"lookups", stats.lookups()},
          {"hit_ratio", stats.hit_ratio()},
          {"memory_hits", stats.memory_hits},
          {"shared_hits", stats.shared_hits},
          {"file_hits", stats.file_hits},
          {"stale_hits", stats.stale_hits},
          {"misses", stats.misses},
          {"loads", stats.loads},
          {"coalesced", stats.coalesced},
          {"fenced_fills", stats.fenced_fills},
          {"hears_changes", stats.shared.hears_changes},
          {"changes_heard", stats.shared.changes_heard},
          {"erases", stats.erases},
          {"memory_entries", stats.memory.entries},
          {"memory_bytes", stats.memory.bytes},
          {"evicted", stats.memory.evicted},
          {"file_entries", stats.file.entries},
          {"file_errors", stats.file.read_errors + stats.file.write_errors + stats.file.corrupt}};
}

}  // namespace

std::string product_key(std::int64_t id) {
  return "product:" + std::to_string(id);
}

page_cache::page_cache(const options& settings, const data_dir& dirs, scalekit::execution exec,
                       scalekit::log_sink log)
    : exec_(exec), is_shared_(!settings.cache.empty()) {
  if (settings.mode == serving_mode::direct) return;
  cache::fallback_params fallback;
  if (is_shared_) fallback.directory = dirs.cache_fallback.string();
  stores_ = stores{.memory = cache::store::open({.memory = {.max_bytes = std::size_t{128} << 20},
                                                 .shared = settings.cache,
                                                 .shared_namespace = "storefront",
                                                 .fallback = fallback,
                                                 .execution = exec,
                                                 .log = log}),
                   .files = cache::store::open({.memory = {.max_bytes = std::size_t{8} << 20},
                                                .file = {.directory = dirs.cache.string(),
                                                         .max_bytes = std::uint64_t{64} << 20},
                                                .execution = exec,
                                                .log = log})};
}

asio::awaitable<std::string> page_cache::get_or_load(page_type type, std::string key, loader load) {
  if (!stores_) {
    auto body = [load = std::move(load)](std::stop_token) { return load(); };
    co_return co_await scalekit::async_blocking<std::string>(exec_, std::move(body),
                                                             asio::use_awaitable);
  }
  //[get-or-load
  // Of the customers who ask for one page at the same time, one loads it and the rest wait.
  auto& store = type == page_type::dashboard ? stores_->files : stores_->memory;
  auto found = co_await store.async_get_or_load<std::string>(
      std::move(key), policy_of(type, is_shared_), std::move(load), asio::use_awaitable);
  co_return std::move(found.value).value();
  //]
}

//[forget
asio::awaitable<void> page_cache::forget_product(std::int64_t id) {
  if (!stores_) co_return;
  // A server that is away is told before the page is read there again: for this shop that is as
  // good, and the order stands.
  co_await stores_->memory.async_erase(product_key(id), scalekit::as_result(asio::use_awaitable));
}
//]

void page_cache::clear() {
  if (!stores_) return;
  stores_->files.clear();
  stores_->memory.clear();
}

boost::json::object page_cache::to_json() const {
  if (!stores_) return {{"enabled", false}};
  auto memory = stores_->memory.stats();
  auto files = stores_->files.stats();
  auto lookups = memory.lookups() + files.lookups();
  auto hits = memory.hits() + files.hits();
  return {
      {"enabled", true},
      {"lookups", lookups},
      {"hit_ratio", lookups == 0 ? 0.0 : static_cast<double>(hits) / static_cast<double>(lookups)},
      {"memory_store", describe(memory)},
      {"file_store", describe(files)}};
}

}  // namespace storefront
