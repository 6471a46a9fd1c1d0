#include "scalekit/cache.hpp"

#include "scalekit/cache/json_codec.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>

#include <chrono>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace asio = boost::asio;
namespace cache = scalekit::cache;

//[struct
struct product {
  int id = 0;
  std::string name;
};
BOOST_DESCRIBE_STRUCT(product, (), (id, name))
//]

namespace {

/// Stands for the database.
std::optional<product> find_product(int id) {
  if (id != 42) return std::nullopt;
  return product{id, "sofa"};
}

/// The same for "product:ID" ..., with one query.
std::vector<std::optional<product>> find_products(std::span<const std::string> keys) {
  std::vector<std::optional<product>> found;
  for (const auto& key : keys) found.push_back(find_product(std::stoi(key.substr(8))));
  return found;
}

void update_price(int, double) {}

/// Stands for one statement for all: it must not mind to be run again.
void write_views(std::span<const cache::pending_write<int>>) {}

std::string show(const product& p) {
  return p.name;
}

/// Stands for a socket.
void send(std::string_view) {}

/// Stands for a client of another service.
struct warehouse_client {
  int count(int id) { return id == 42 ? 3 : 0; }
};

void log_failure(const std::exception_ptr&) {}

//[load
std::string product_page(cache::store& store, int id) {
  auto found = store.get_or_load<product>("product:" + std::to_string(id), cache::ttl::product,
                                          [&] { return find_product(id); });
  return found ? show(*found) : "no such product";
}
//]

//[change
void rename_product(cache::store& store, int id) {
  // ... write to the database, then:
  store.erase("product:" + std::to_string(id));
}
//]

//[load-many
std::vector<std::string> product_names(cache::store& store, const std::vector<std::string>& keys) {
  auto found = store.get_or_load_many<product>(
      keys, cache::ttl::product,
      // One query for all that is missing: an optional product for each, in their order.
      [](std::span<const std::string> missing) { return find_products(missing); });
  std::vector<std::string> names;
  for (const auto& each : found) names.push_back(each ? each->name : "no such product");
  return names;
}
//]

//[warm-up
void fill_cache(cache::store& store, const std::vector<std::string>& best_sellers) {
  auto done = cache::warm_up<product>(store, best_sellers, cache::ttl::product, find_products,
                                      {.batch = 200, .per_second = 500});
  if (done.error) log_failure(done.error);  // of the first batch that could not be loaded
}
//]

//[write-through
void set_price(cache::store& store, int id, double price) {
  // The database first: what it refuses is not in the cache.
  cache::write_through(store, "price:" + std::to_string(id), price, cache::ttl::product,
                       [&](double p) { update_price(id, p); });
}
//]

//[coroutine
asio::awaitable<std::string> product_name(cache::store& store, int id) {
  auto found = co_await store.async_get_or_load<product>(
      "product:" + std::to_string(id), cache::ttl::product, [id] { return find_product(id); },
      asio::use_awaitable);
  co_return found ? found->name : "";
}
//]

}  // namespace

//[codec
struct thumbnail {
  std::string jpeg;
};

template <>
struct scalekit::cache::codec<thumbnail> {
  static void encode(const thumbnail& value, std::string& out) { out += value.jpeg; }
  static std::optional<thumbnail> decode(std::string_view bytes) {
    if (!bytes.starts_with("\xff\xd8")) return std::nullopt;  // not one: a miss
    return thumbnail{std::string(bytes)};
  }
};
//]

int main() {
  auto pattern = (std::filesystem::temp_directory_path() / "scalekit-snippet-XXXXXX").string();
  const std::string directory = ::mkdtemp(pattern.data());
  bool good = true;
  {
    //[open
    auto store = cache::store::open({.memory = {.max_bytes = 64 << 20},
                                     .file = {.directory = directory, .max_bytes = 1 << 30}});
    //]
    good &= product_page(store, 42) == "sofa";
    good &= product_page(store, 1) == "no such product";
    rename_product(store, 42);
    good &= !store.get<product>("product:42");
    const std::vector<std::string> names{"sofa", "no such product"};
    good &= product_names(store, {"product:42", "product:43"}) == names;
    fill_cache(store, {"product:42", "product:44"});

    //[lookup
    auto found = store.get<product>("product:42");
    switch (found.freshness) {
      case cache::freshness::fresh:
        break;  // *found, found.age, found.tier
      case cache::freshness::stale:
        break;  // the same, past its time: only where the policy or the caller allows it
      case cache::freshness::negative:
        break;  // known to be absent
      default:
        break;  // nothing is known
    }
    //]

    set_price(store, 42, 129.90);
    good &= store.get<double>("price:42").value == 129.90;
    {
      using namespace std::chrono_literals;
      //[write-behind
      cache::write_behind<int> views(store, cache::ttl::product, write_views, {.max_delay = 2s});
      views.put("views:42", 7);           // returns at once; a later one of this key replaces it
      auto seen = views.get("views:42");  // 7, here, from now on
      views.flush(10s);                   // or wait until the database has it
      //]
      good &= seen.value == 7;
    }

    //[policy
    constexpr cache::policy price{.type = "price",
                                  .ttl = std::chrono::minutes(5),
                                  .memory_ttl = std::chrono::seconds(2),
                                  .negative_ttl = std::chrono::seconds(30)};
    store.set("price:42", 129.90, price);
    //]
    good &= store.get<double>("price:42").value == 129.90;

    auto warehouse = std::make_shared<warehouse_client>();
    //[stale
    constexpr cache::policy stock{.type = "stock",
                                  .ttl = std::chrono::seconds(30),
                                  .stale_for = std::chrono::hours(24),
                                  .stale_while_refreshing = std::chrono::minutes(5),
                                  .load_timeout = std::chrono::seconds(2),
                                  .refresh_ahead = 0.8};
    auto left = store.get_or_load<int>("stock:42", stock,
                                       cache::owned([warehouse] { return warehouse->count(42); }));
    if (left.freshness == cache::freshness::stale && left.error) log_failure(left.error);
    //]
    good &= left.value == 3;

    store.set("page:7", std::string("<html>..."), cache::ttl::product);
    //[pinned
    auto page = store.get<cache::pinned_bytes>("page:7");
    if (page) send(page->view());  // valid for as long as `page` is there
    //]
    good &= page && page->view().starts_with("<html>");

    store.set("thumb:1", thumbnail{"\xff\xd8..."}, cache::ttl::product);
    good &= store.get<thumbnail>("thumb:1").value.has_value();

    asio::io_context io;
    auto name = asio::co_spawn(io, product_name(store, 42), asio::use_future);
    io.run();
    good &= name.get() == "sofa";

    //[stats
    auto stats = store.stats();
    auto ratio = stats.hit_ratio();     // all lookups
    auto loads = stats.loads;           // loaders that returned a value
    auto fenced = stats.fenced_fills;   // loads overtaken by a set or an erase
    auto stale = stats.stale_hits;      // served past their time; stats.stale says why
    auto damaged = stats.file.corrupt;  // files that were not what they should be
    //]
    good &= ratio > 0 && loads > 0 && fenced == 0 && stale == 0 && damaged == 0;
  }
  std::filesystem::remove_all(directory);
  return good ? 0 : 1;
}
