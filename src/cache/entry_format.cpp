#include "cache/entry_format.hpp"

#include <optional>
#include <utility>

#ifdef SCALEKIT_CACHE_WITH_ZSTD
#include <zstd.h>
#endif

namespace scalekit::cache::detail {
namespace {

using scalekit::detail::hmac_sha256;
using scalekit::detail::sha256;
using scalekit::detail::sha256_digest;

std::string_view view_of(const sha256_digest& digest) noexcept {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

/// What one namespace has sealed is nothing in another.
std::string key_for(const std::string& secret, const std::string& name) {
  if (secret.empty()) return {};
  return std::string(view_of(hmac_sha256(secret, "scalekit cache " + name)));
}

/// What a seal is the HMAC of.
std::string message_of(const file_entry& entry) {
  sha256 value;
  value.update(entry.value);
  return encode_sealed(entry).append(view_of(value.finish()));
}

#ifdef SCALEKIT_CACHE_WITH_ZSTD

// The fastest of the usual ones: a cache waits for it.
constexpr int level = 1;

/// False where it would not become smaller by an eighth, which is what a reader's time is worth.
bool compress(std::string_view value, std::string& into) {
  into.resize(value.size() - value.size() / 8);
  const auto size = ZSTD_compress(into.data(), into.size(), value.data(), value.size(), level);
  if (ZSTD_isError(size)) return false;
  into.resize(size);
  return true;
}

std::optional<std::string> decompress(std::string_view packed, std::size_t at_most) {
  const auto size = ZSTD_getFrameContentSize(packed.data(), packed.size());
  // Of one that does not say so nothing is believed; the two errors are larger than any size.
  if (size > at_most) return std::nullopt;
  std::string value(size, '\0');
  const auto got = ZSTD_decompress(value.data(), value.size(), packed.data(), packed.size());
  if (ZSTD_isError(got) || got != size) return std::nullopt;
  return value;
}

#else

bool compress(std::string_view, std::string&) {
  return false;
}

std::optional<std::string> decompress(std::string_view, std::size_t) {
  return std::nullopt;
}

#endif

}  // namespace

entry_format::entry_format(const store_params& params)
    : compress_from_(params.entries.compress_from),
      max_value_bytes_(params.max_value_bytes),
      key_(key_for(params.entries.secret, params.shared_namespace)),
      previous_key_(key_for(params.entries.previous_secret, params.shared_namespace)) {}

file_entry entry_format::pack(const file_entry& entry, buffer& into) const {
  auto packed = entry;
  const bool may_pay = compress_from_ > 0 && entry.value.size() >= compress_from_;
  if (may_pay && compress(entry.value, into.value)) {
    packed.value = into.value;
    packed.compressed = true;
  }
  if (!key_.empty()) {
    into.seal = hmac_sha256(key_, message_of(packed));
    packed.seal = view_of(into.seal);
  }
  return packed;
}

std::variant<file_entry, file_fault> entry_format::parse(std::string_view bytes) const {
  auto parsed = parse_file_entry(bytes);
  const auto* entry = std::get_if<file_entry>(&parsed);
  if (entry != nullptr && !key_.empty() && !is_sealed(*entry)) return file_fault::seal;
  return parsed;
}

bool entry_format::is_sealed(const file_entry& entry) const {
  if (entry.seal.empty()) return false;
  const auto message = message_of(entry);
  for (const auto* key : {&key_, &previous_key_}) {
    if (key->empty()) continue;
    const auto right = hmac_sha256(*key, message);
    if (scalekit::detail::equal_in_constant_time(view_of(right), entry.seal)) return true;
  }
  return false;
}

std::optional<file_fault> entry_format::unpack(std::string& bytes, const file_entry& entry) const {
  if (entry.compressed) {
    auto value = decompress(entry.value, max_value_bytes_);
    if (!value) return file_fault::compression;
    bytes = *std::move(value);
  } else {
    // Cutting off the front spares a second buffer.
    bytes.erase(0, bytes.size() - entry.value.size());
  }
  return std::nullopt;
}

}  // namespace scalekit::cache::detail
