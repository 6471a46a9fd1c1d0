#include "redis/slot_map.hpp"

#include "redis/key_slot.hpp"

#include <algorithm>
#include <bitset>
#include <charconv>
#include <map>
#include <string>
#include <utility>

namespace scalekit::redis::detail {
namespace {

constexpr std::size_t longest_host = 255;
/// A cluster is not to have more than a thousand nodes (Redis Cluster specification, "Main
/// properties").
constexpr std::size_t most_nodes = 4096;

error wrong(const char* what) {
  return {errc::backend_error, std::string("the answer to CLUSTER SLOTS is not usable: ") + what};
}

bool is_host(std::string_view text) noexcept {
  return text.size() <= longest_host && std::ranges::all_of(text, [](char c) {
           return c > ' ' && c < 0x7f && c != '/' && c != '@' && c != '?';
         });
}

template <class Number>
std::optional<Number> number_in(std::string_view text) noexcept {
  Number value{};
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<place> place_at(std::string_view host, std::int64_t port, const place& asked) {
  if (port < 1 || port > 65535 || !is_host(host)) return std::nullopt;
  return place{.path = {},
               .host = host.empty() ? asked.host : std::string(host),
               .port = static_cast<std::uint16_t>(port)};
}

/// Host, port, and what newer servers add.
std::optional<place> place_from(const reply& node, const place& asked) {
  if (node.kind != reply_kind::array || node.elements.size() < 2) return std::nullopt;
  const auto& host = node.elements[0];
  const auto& port = node.elements[1];
  if (host.kind != reply_kind::text && host.kind != reply_kind::nil) return std::nullopt;
  if (port.kind != reply_kind::integer) return std::nullopt;
  return place_at(host.text, port.integer, asked);
}

std::optional<std::uint16_t> slot_from(const reply& r) noexcept {
  if (r.kind != reply_kind::integer || r.integer < 0 || r.integer >= slot_count) {
    return std::nullopt;
  }
  return static_cast<std::uint16_t>(r.integer);
}

class map_reader {
 public:
  explicit map_reader(const place& asked) : asked_(asked) {}

  /// Null: it was taken.
  const char* take(const reply& row) {
    if (row.kind != reply_kind::array || row.elements.size() < 3) return "a range without a node";
    const auto first = slot_from(row.elements[0]);
    const auto last = slot_from(row.elements[1]);
    if (!first || !last || *first > *last) return "a range that is none";
    for (auto slot = std::size_t{*first}; slot <= *last; ++slot) {
      if (taken_.test(slot)) return "a slot that two have";
      taken_.set(slot);
    }
    shard_places shard;
    for (std::size_t i = 2; i < row.elements.size(); ++i) {
      auto at = place_from(row.elements[i], asked_);
      if (!at) return "a node without an address";
      if (i == 2) {
        shard.master = std::move(*at);
      } else {
        shard.replicas.push_back(std::move(*at));
      }
    }
    const auto name = shard.master.name();
    const auto [known, is_new] = by_master_.emplace(name, map.shards.size());
    if (is_new) {
      nodes_ += 1 + shard.replicas.size();
      map.shards.push_back(std::move(shard));
    }
    if (nodes_ > most_nodes) return "too many nodes";
    map.ranges.push_back({*first, *last, known->second});
    return nullptr;
  }

  slot_map map;

 private:
  const place& asked_;
  std::bitset<slot_count> taken_;
  std::map<std::string, std::size_t> by_master_;
  std::size_t nodes_ = 0;
};

}  // namespace

result<slot_map> slot_map_from(const reply& answer, const place& asked) {
  if (answer.kind != reply_kind::array) return wrong("no list");
  if (answer.elements.empty()) return wrong("no node has a slot");
  map_reader reader(asked);
  for (const auto& row : answer.elements) {
    if (const char* what = reader.take(row)) return wrong(what);
  }
  return std::move(reader.map);
}

std::optional<redirect> redirect_from(std::string_view said, const place& asked) {
  const auto blank = said.find(' ');
  if (blank == said.npos) return std::nullopt;
  const auto slot = number_in<std::uint16_t>(said.substr(0, blank));
  const auto address = said.substr(blank + 1);
  // An IPv6 address has colons in it, and no brackets.
  const auto colon = address.rfind(':');
  if (!slot || *slot >= slot_count || colon == address.npos) return std::nullopt;
  const auto port = number_in<std::uint16_t>(address.substr(colon + 1));
  if (!port) return std::nullopt;
  auto to = place_at(address.substr(0, colon), *port, asked);
  if (!to) return std::nullopt;
  return redirect{*slot, std::move(*to)};
}

}  // namespace scalekit::redis::detail
