#include "cache/file_entry.hpp"

#include "cache/hash.hpp"

#include <array>
#include <bit>
#include <cstddef>
#include <cstring>

namespace scalekit::cache::detail {
namespace {

constexpr std::uint16_t format = 3;
constexpr std::uint8_t negative_flag = 1, compressed_flag = 2, sealed_flag = 4;
constexpr std::uint8_t all_flags = negative_flag | compressed_flag | sealed_flag;

struct header {
  std::array<char, 8> magic;
  std::uint16_t format;
  std::uint8_t flags;
  std::uint8_t type_size;
  std::uint32_t key_size;
  std::uint64_t value_size;
  std::uint64_t epoch;
  std::uint64_t sequence;
  std::int64_t created_us;
  std::int64_t fresh_until_us;
  std::int64_t expires_us;
  std::int64_t memory_ttl_us;
  std::uint64_t checksum;
};
static_assert(sizeof(header) == file_header_bytes && std::endian::native == std::endian::little);

constexpr std::array<char, 8> magic{'s', 'k', 'c', 'a', 'c', 'h', 'e', '\n'};
constexpr std::size_t checked_bytes = offsetof(header, checksum);

header header_of(const file_entry& entry) {
  header h{};
  h.magic = magic;
  h.format = format;
  h.flags = static_cast<std::uint8_t>((entry.negative ? negative_flag : 0) |
                                      (entry.compressed ? compressed_flag : 0) |
                                      (entry.seal.empty() ? 0 : sealed_flag));
  h.type_size = static_cast<std::uint8_t>(entry.type.size());
  h.key_size = static_cast<std::uint32_t>(entry.key.size());
  h.value_size = entry.value.size();
  h.epoch = entry.token.epoch;
  h.sequence = entry.token.generation;
  h.created_us = entry.created_us;
  h.fresh_until_us = entry.fresh_until_us;
  h.expires_us = entry.expires_us;
  h.memory_ttl_us = entry.memory_ttl_us;
  return h;
}

/// `prefix` is everything before the value.
std::uint64_t checksum_of(std::string_view prefix, std::string_view value) noexcept {
  const auto fixed = xxh64(prefix.substr(0, checked_bytes), 0);
  return xxh64(value, xxh64(prefix.substr(file_header_bytes), fixed));
}

}  // namespace

const char* to_string(file_fault fault) noexcept {
  switch (fault) {
    case file_fault::truncated:
      return "truncated";
    case file_fault::foreign:
      return "not a cache entry";
    case file_fault::other_version:
      return "another format version";
    case file_fault::inconsistent:
      return "inconsistent lengths or flags";
    case file_fault::checksum:
      return "wrong checksum";
    case file_fault::seal:
      return "not sealed with a secret of this store";
    case file_fault::compression:
      return "not to be decompressed";
  }
  return "";
}

std::string encode_prefix(const file_entry& entry) {
  auto h = header_of(entry);
  std::string prefix(sizeof h, '\0');
  std::memcpy(prefix.data(), &h, sizeof h);
  prefix.append(entry.type).append(entry.key).append(entry.seal);
  h.checksum = checksum_of(prefix, entry.value);
  std::memcpy(prefix.data() + checked_bytes, &h.checksum, sizeof h.checksum);
  return prefix;
}

std::string encode_sealed(const file_entry& entry) {
  auto h = header_of(entry);
  h.flags |= sealed_flag;
  std::string bytes(checked_bytes, '\0');
  std::memcpy(bytes.data(), &h, checked_bytes);
  return bytes.append(entry.type).append(entry.key);
}

std::variant<file_entry, file_fault> parse_file_entry(std::string_view bytes) noexcept {
  header h;
  if (bytes.size() < sizeof h) return file_fault::truncated;
  std::memcpy(&h, bytes.data(), sizeof h);
  if (h.magic != magic) return file_fault::foreign;
  if (h.format != format) return file_fault::other_version;

  auto rest = bytes.substr(sizeof h);
  const std::size_t seal = h.flags & sealed_flag ? seal_bytes : 0;
  const std::uint64_t front = std::uint64_t{h.type_size} + h.key_size + seal;
  if (rest.size() < front || rest.size() - front < h.value_size) return file_fault::truncated;
  if (rest.size() - front > h.value_size || h.flags > all_flags) return file_fault::inconsistent;

  file_entry entry;
  entry.type = rest.substr(0, h.type_size);
  entry.key = rest.substr(h.type_size, h.key_size);
  entry.seal = rest.substr(front - seal, seal);
  entry.value = rest.substr(front);
  if (checksum_of(bytes.substr(0, sizeof h + front), entry.value) != h.checksum) {
    return file_fault::checksum;
  }
  entry.token = {h.epoch, h.sequence};
  entry.created_us = h.created_us;
  entry.fresh_until_us = h.fresh_until_us;
  entry.expires_us = h.expires_us;
  entry.memory_ttl_us = h.memory_ttl_us;
  entry.negative = h.flags & negative_flag;
  entry.compressed = h.flags & compressed_flag;
  return entry;
}

}  // namespace scalekit::cache::detail
