#include "cache/validate.hpp"

#include "cache/memory_tier.hpp"
#include "core/require.hpp"
#include "scalekit/cache/store_settings.hpp"
#include "scalekit/core/error.hpp"

#include <algorithm>
#include <bit>
#include <string>

namespace scalekit::cache::detail {
namespace {

using scalekit::detail::require;
using scalekit::detail::require_range;

constexpr std::size_t least_shard_bytes = 16 << 10;
constexpr std::size_t most_key_bytes = 65536;
constexpr std::size_t most_type_bytes = 64;
constexpr auto longest_ttl = std::chrono::hours(24 * 366);

void validate_shards(const memory_params& memory) {
  require(memory.shards == 0 || std::has_single_bit(memory.shards), "store_params.memory.shards",
          std::to_string(memory.shards), "0, or a power of two up to 256");
  require(memory.max_bytes / shard_count(memory) >= least_shard_bytes, "store_params.memory.shards",
          std::to_string(memory.shards), "at least 16 KiB of memory.max_bytes a shard");
}

bool is_namespace(const std::string& text) {
  return !text.empty() && text.size() <= 64 && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("_-.{}").find(c) != std::string_view::npos;
  });
}

void validate_entries(const entry_params& entries) {
#ifndef SCALEKIT_CACHE_WITH_ZSTD
  require(entries.compress_from == 0, "store_params.entries.compress_from",
          std::to_string(entries.compress_from), "0, without SCALEKIT_WITH_ZSTD");
#endif
  const auto check = [](const std::string& secret, const char* field) {
    require(secret.empty() || (secret.size() >= 16 && secret.size() <= 1024), field,
            std::to_string(secret.size()) + " bytes long", "16 to 1024 bytes, or none");
  };
  check(entries.secret, "store_params.entries.secret");
  check(entries.previous_secret, "store_params.entries.previous_secret");
  require(entries.previous_secret.empty() || !entries.secret.empty(),
          "store_params.entries.previous_secret", "given without a secret", "both, or neither");
}

/// Calls are checked as configuration is, but fail as calls do.
template <class Check>
void as_call(Check check) {
  try {
    check();
  } catch (const std::invalid_argument& wrong) {
    throw error(errc::invalid_argument, wrong.what());
  }
}

}  // namespace

void validate(const store_params& params) {
  const bool has_memory = params.memory.max_bytes > 0;
  const bool has_files = !params.file.directory.empty();
  const bool has_shared = !params.shared.empty();
  require(has_memory || has_files || has_shared, "store_params", "without a tier",
          "memory.max_bytes above 0, or file.directory or shared, or memory and one of these");
  require(!has_files || !has_shared, "store_params.shared", "given beside file.directory",
          "one of the two");
  require(is_namespace(params.shared_namespace), "store_params.shared_namespace",
          "\"" + params.shared_namespace + "\"", "1 to 64 letters, digits and _ - . { }");
  require(params.shared_journal.empty() || has_shared, "store_params.shared_journal",
          "given without shared", "both, or neither");
  require(params.fallback.directory.empty() || has_shared, "store_params.fallback.directory",
          "given without shared", "both, or neither");
  store_settings().validate(params);
  validate_entries(params.entries);
  if (has_memory) validate_shards(params.memory);
  require(params.clock != nullptr, "store_params.clock", "null", "a clock");
}

void validate(const policy& how) {
  as_call([&] {
    const std::chrono::milliseconds none{0}, one{1};
    if (how.type.empty() || how.type.size() > most_type_bytes) {
      require(false, "policy.type", std::to_string(how.type.size()) + " bytes long",
              "1 to 64 bytes");
    }
    require_range("policy.ttl", how.ttl, one, longest_ttl);
    require_range("policy.memory_ttl", how.memory_ttl, none, longest_ttl);
    require_range("policy.negative_ttl", how.negative_ttl, none, longest_ttl);
    require_range("policy.jitter", how.jitter, 0.0, 0.9);
    require_range("policy.stale_for", how.stale_for, none, longest_ttl);
    require_range("policy.stale_while_refreshing", how.stale_while_refreshing, none, how.stale_for);
    require_range("policy.soft_timeout", how.soft_timeout, none, deadline::max_timeout);
    require_range("policy.load_timeout", how.load_timeout, none, deadline::max_timeout);
    require_range("policy.retry_after", how.retry_after, one, longest_ttl);
    require_range("policy.refresh_ahead", how.refresh_ahead, 0.0, 0.99);
  });
}

void validate(const call_options& options) {
  if (options.timeout >= std::chrono::nanoseconds(0) && options.timeout <= deadline::max_timeout) {
    return;
  }
  as_call([&] {
    require_range("call_options.timeout", options.timeout, std::chrono::nanoseconds(0),
                  deadline::max_timeout);
  });
}

void validate_key(std::string_view key) {
  if (!key.empty() && key.size() <= most_key_bytes) return;
  throw error(errc::invalid_argument,
              "a cache key of " + std::to_string(key.size()) + " bytes; legal: 1 to 65536");
}

}  // namespace scalekit::cache::detail
