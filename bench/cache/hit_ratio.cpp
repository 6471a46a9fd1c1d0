#include "cache/hit_ratio.hpp"

#include "cache/caffeine.hpp"
#include "cache/trace.hpp"
#include "harness.hpp"
#include "scalekit/cache.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

namespace bench {
namespace {

namespace cache = scalekit::cache;

struct trace_row {
  const char* trace;
  bool arc;
  std::vector<std::size_t> sizes;
};

const std::vector<trace_row>& rows() {
  static const std::vector<trace_row> all{
      {"loop", false, {256, 512, 768}},        {"multi1", false, {500, 1000, 2000}},
      {"multi2", false, {600, 1200, 1800}},    {"multi3", false, {600, 1200, 1800}},
      {"sprite", false, {200, 400, 600, 800}}, {"2_pools", false, {100, 200, 400}},
      {"oltp", true, {250, 500, 1000, 2000}},  {"p3", true, {25'000, 50'000, 100'000, 200'000}},
  };
  return all;
}

/// Keys and values of one size, so that bytes are as good as entries.
struct entry_shape {
  explicit entry_shape(std::size_t capacity) : value(capacity > 10'000 ? 200 : 1000, 'v') {}

  static std::string key(std::uint64_t number) {
    std::array<char, 17> text{};
    std::snprintf(text.data(), text.size(), "%016llx", static_cast<unsigned long long>(number));
    return {text.data(), 16};
  }

  std::string value;
};

cache::store open(std::size_t bytes) {
  return cache::store::open({.memory = {.max_bytes = bytes}, .seed = 1});
}

std::uint64_t entries_of(std::size_t bytes, const entry_shape& shape, std::size_t capacity) {
  auto store = open(bytes);
  for (std::uint64_t i = 0; i < 3 * capacity; ++i) {
    store.set(entry_shape::key(~i), shape.value, cache::ttl::reference);
  }
  return store.stats().memory.entries;
}

/// The most bytes in which no more than `capacity` entries fit, within one entry a shard.
std::size_t bytes_for(std::size_t capacity, const entry_shape& shape) {
  constexpr std::size_t most_shards = 16;
  auto bytes = capacity * (shape.value.size() + 100);
  for (int i = 0; i < 8; ++i) {
    const auto entries = entries_of(bytes, shape, capacity);
    if (entries <= capacity && entries + (capacity > 10'000 ? most_shards : 0) >= capacity) break;
    const auto wrong = static_cast<double>(capacity) / static_cast<double>(entries);
    bytes = static_cast<std::size_t>(static_cast<double>(bytes) * wrong);
  }
  while (entries_of(bytes, shape, capacity) > capacity) bytes -= shape.value.size();
  return bytes;
}

double our_percentage(const std::vector<std::uint64_t>& keys, std::size_t capacity) {
  const entry_shape shape(capacity);
  const auto bytes = bytes_for(capacity, shape);
  auto store = open(bytes);
  std::uint64_t hits = 0;
  for (auto number : keys) {
    const auto key = entry_shape::key(number);
    if (store.get<cache::pinned_bytes>(key)) {
      ++hits;
    } else {
      store.set(key, shape.value, cache::ttl::reference);
    }
  }
  std::printf("  %zu bytes: %llu entries at the end\n", bytes,
              static_cast<unsigned long long>(store.stats().memory.entries));
  return 100.0 * static_cast<double>(hits) / static_cast<double>(keys.size());
}

}  // namespace

void register_hit_ratios() {
  for (const auto& row : rows()) {
    auto keys = std::make_shared<std::vector<std::uint64_t>>();
    auto need = [keys, row]() -> const std::vector<std::uint64_t>& {
      if (keys->empty()) {
        *keys = read_trace(traces_directory() + "/" + row.trace + ".gz", row.arc);
      }
      return *keys;
    };
    for (auto size : row.sizes) {
      add({.name = std::string("cache.hit_ratio.") + row.trace + "." + std::to_string(size),
           .unit = "%",
           .ours = [need, size] { return our_percentage(need(), size); },
           .peer_name = "Caffeine, same-thread executor",
           .peer =
               [need, size] {
                 const auto& all = need();
                 return 100.0 * static_cast<double>(caffeine_hits(all, size)) /
                        static_cast<double>(all.size());
               },
           .least_difference = -0.5,
           .once = true,
           .needs_traces = true});
    }
  }
}

}  // namespace bench
