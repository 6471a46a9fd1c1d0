#include "db/sqlite/settings.hpp"

#include "core/require.hpp"

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include <array>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <limits>
#include <utility>

namespace scalekit::db::sqlite {
namespace {

using scalekit::detail::require;
using scalekit::detail::require_range;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;

std::uint64_t number(std::string_view field, std::string_view text) {
  std::uint64_t value = 0;
  auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
  require(ec == std::errc{} && end == text.data() + text.size(), field, text, "a whole number");
  return value;
}

nanoseconds duration(std::string_view field, std::string_view text) {
  auto ms = number(field, text);
  auto most = static_cast<std::uint64_t>(milliseconds{hours{24}}.count());
  require(ms <= most, field, text, "0 to " + std::to_string(most) + " (milliseconds)");
  return milliseconds{static_cast<std::int64_t>(ms)};
}

template <class Enum, std::size_t N>
Enum choice(std::string_view field, std::string_view text,
            const std::array<std::pair<std::string_view, Enum>, N>& choices) {
  std::string legal;
  for (const auto& [name, value] : choices) {
    if (name == text) return value;
    legal.append(legal.empty() ? "" : ", ").append(name);
  }
  require(false, field, text, legal);
  return {};
}

constexpr std::array<std::pair<std::string_view, synchronous_mode>, 4> synchronous_names{{
    {"off", synchronous_mode::off},
    {"normal", synchronous_mode::normal},
    {"full", synchronous_mode::full},
    {"extra", synchronous_mode::extra},
}};

constexpr std::array<std::pair<std::string_view, sqlite_mode>, 3> mode_names{{
    {"rwc", sqlite_mode::read_write_create},
    {"rw", sqlite_mode::read_write},
    {"ro", sqlite_mode::read_only},
}};

void apply(client_params& p, std::string_view key, std::string_view value) {
  if (key == "statement_timeout") {
    p.statement_timeout = duration(key, value);
  } else if (key == "acquire_timeout") {
    p.acquire_timeout = duration(key, value);
  } else if (key == "transaction_timeout") {
    p.transaction_timeout = duration(key, value);
  } else if (key == "max_waiting") {
    p.max_waiting = number(key, value);
  } else if (key == "statement_cache") {
    p.statement_cache = number(key, value);
  } else if (key == "max_value_bytes") {
    p.max_value_bytes = number(key, value);
  } else if (key == "readers") {
    p.sqlite.readers = number(key, value);
  } else if (key == "mode") {
    p.sqlite.mode = choice(key, value, mode_names);
  } else if (key == "synchronous") {
    p.sqlite.synchronous = choice(key, value, synchronous_names);
  } else if (key == "cache_bytes") {
    p.sqlite.cache_bytes = number(key, value);
  } else if (key == "mmap_bytes") {
    p.sqlite.mmap_bytes = number(key, value);
  } else if (key == "journal_size_limit") {
    p.sqlite.journal_size_limit = number(key, value);
  } else if (key == "max_database_bytes") {
    p.sqlite.max_database_bytes = number(key, value);
  } else {
    require(false, "setting in the URL", key, "the fields of client_params and sqlite_params");
  }
}

void check(const client_params& p) {
  constexpr std::uint64_t kib = 1024, mib = kib * kib, gib = kib * mib, tib = kib * gib;
  require_range("client_params.statement_timeout", p.statement_timeout, milliseconds{1}, hours{24});
  require_range("client_params.acquire_timeout", p.acquire_timeout, milliseconds{0}, hours{24});
  require_range("client_params.transaction_timeout", p.transaction_timeout, milliseconds{1},
                hours{24});
  require_range("client_params.max_waiting", p.max_waiting, 0, 1'000'000);
  require_range("client_params.statement_cache", p.statement_cache, 1, 10'000);
  // SQLite itself ends at 10^9 bytes.
  require_range("client_params.max_value_bytes", p.max_value_bytes, kib, 1'000'000'000);
  require_range("sqlite_params.readers", p.sqlite.readers, 1, 64);
  require_range("sqlite_params.cache_bytes", p.sqlite.cache_bytes, 64 * kib, 16 * gib);
  require_range("sqlite_params.mmap_bytes", p.sqlite.mmap_bytes, 0, tib);
  require_range("sqlite_params.journal_size_limit", p.sqlite.journal_size_limit, 0, tib);
  require_range("sqlite_params.max_database_bytes", p.sqlite.max_database_bytes, 0, 256 * tib);
}

}  // namespace

settings settings_from_url(std::string_view url, client_params params) {
  constexpr std::string_view legal =
      "sqlite:///absolute/path, sqlite:relative/path or sqlite::memory:, percent-encoded";
  auto parsed = boost::urls::parse_uri(url);
  require(parsed.has_value() && parsed->scheme() == "sqlite", "db URL", url, legal);
  // sqlite://shop.db would be a host called shop.db.
  require(parsed->encoded_host().empty() && !parsed->has_userinfo() && !parsed->has_port(),
          "db URL", url, legal);
  require(!parsed->has_fragment(), "db URL", url, "no fragment; encode '#' in a path as %23");

  settings s{parsed->path(), std::move(params)};
  require(!s.path.empty() && s.path.find('\0') == std::string::npos && s.path != "/", "db URL", url,
          legal);
  for (auto setting : parsed->params()) apply(s.params, setting.key, setting.value);
  check(s.params);
  return s;
}

}  // namespace scalekit::db::sqlite
