#include "scalekit/db/shard_key.hpp"

#include "scalekit/core/error.hpp"

namespace scalekit::db {
namespace {

std::string shown(const shard_key& key) {
  return key.is_text() ? "'" + key.text() + "'" : std::to_string(key.number());
}

}  // namespace

shard_key::shard_key(std::string text) : value_(std::move(text)) {
  if (this->text().find('\0') != std::string::npos) {
    throw error(errc::invalid_argument, "the key of a shard contains a NUL");
  }
}

std::int64_t shard_key::in_range(bool fits, std::int64_t number) {
  if (!fits) throw error(errc::value_out_of_range, "the key of a shard is above 2^63 - 1");
  return number;
}

std::string to_string(const shard_range& range) {
  if (!range.from && !range.to) return "(all)";
  return (range.from ? "[" + shown(*range.from) : std::string("(lowest")) + ", " +
         (range.to ? shown(*range.to) + ")" : std::string("highest]"));
}

std::int64_t shard_bucket(const shard_key& key, std::int64_t buckets) noexcept {
  std::uint64_t h = 0xcbf29ce484222325;
  auto add = [&h](unsigned char byte) { h = (h ^ byte) * 0x100000001b3; };
  if (key.is_text()) {
    for (const char c : key.text()) add(static_cast<unsigned char>(c));
  } else {
    const auto number = static_cast<std::uint64_t>(key.number());
    for (unsigned shift = 0; shift < 64; shift += 8) {
      add(static_cast<unsigned char>(number >> shift));
    }
  }
  h = (h ^ (h >> 33)) * 0xff51afd7ed558ccd;
  h = (h ^ (h >> 33)) * 0xc4ceb9fe1a85ec53;
  h ^= h >> 33;
  return static_cast<std::int64_t>(h % static_cast<std::uint64_t>(buckets));
}

}  // namespace scalekit::db
