#include "scalekit/cache.hpp"
#include "scalekit/core/error.hpp"
#include "support/redis/server.hpp"
#include "support/temp_directory.hpp"

#include <chrono>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

namespace cache = scalekit::cache;

namespace {

cache::store open(const std::string& url) {
  //[open
  auto store = cache::store::open({.memory = {.max_bytes = 64 << 20},
                                   .shared = url,  // "redis://10.0.0.9/0"
                                   .shared_namespace = "shop"});
  //]
  return store;
}

cache::store open_with_fallback(const std::string& url, const std::string& directory) {
  //[fallback
  auto store = cache::store::open({.memory = {.max_bytes = 64 << 20},
                                   .shared = url,
                                   .shared_namespace = "shop",
                                   .fallback = {.directory = directory}});
  //]
  return store;
}

constexpr int attempts = 3;

//[erase
void rename_product(cache::store& store, int id) {
  // ... write to the database, then:
  for (int i = 1;; ++i) {
    try {
      return store.erase("product:" + std::to_string(id));
    } catch (const scalekit::error&) {
      // Here it is gone, whatever the server has. Others may see it until its ttl ends.
      if (i == attempts) throw;
    }
  }
}
//]

std::string prices(cache::store& store) {
  //[many
  std::vector<std::pair<std::string, double>> loaded{{"price:42", 129.90}, {"price:43", 19.90}};
  store.set_many(loaded, cache::ttl::product);
  auto found = store.get_many<double>({"price:42", "price:43", "price:44"});
  //]
  return found[0] && found[1] && !found[2] ? "two" : "none";
}

}  // namespace

int main() {
  support::redis::server server;
  auto store = open(server.url());
  store.set("product:42", std::string("sofa"), cache::ttl::product);
  rename_product(store, 42);
  if (store.get<std::string>("product:42") || prices(store) != "two") std::abort();

  const support::temp_directory directory;
  auto other = open_with_fallback(server.url(), directory.file("fallback"));
  other.force_shared(cache::shared_mode::fallback);
  other.set("product:42", std::string("sofa"), cache::ttl::product);
  if (!other.get<std::string>("product:42")) std::abort();
}
