#include "db/sqlite/authorizer.hpp"
#include "db/sqlite/error_map.hpp"
#include "db/sqlite/settings.hpp"
#include "db/sqlite/statement_cache.hpp"
#include "support/throws_errc.hpp"

#include <doctest/doctest.h>
#include <sqlite3.h>

#include <stdexcept>
#include <string>

using namespace scalekit;
using namespace scalekit::db::sqlite;
using namespace std::chrono_literals;
using support::contains;

namespace {

settings from(std::string_view url) {
  return settings_from_url(url, {});
}

std::string why_invalid(std::string_view url, db::client_params params = {}) {
  try {
    settings_from_url(url, std::move(params));
  } catch (const std::invalid_argument& e) {
    return e.what();
  }
  return {};
}

prepared entry(std::string text) {
  prepared p;
  p.text = std::move(text);
  return p;
}

}  // namespace

TEST_CASE("result codes of SQLite become errors a caller can decide on") {
  struct {
    int code;
    errc wanted;
  } table[] = {
      {SQLITE_CONSTRAINT_UNIQUE, errc::constraint_violation},
      {SQLITE_CONSTRAINT_FOREIGNKEY, errc::constraint_violation},
      {SQLITE_CONSTRAINT_CHECK, errc::constraint_violation},
      {SQLITE_CONSTRAINT_NOTNULL, errc::constraint_violation},
      {SQLITE_CONSTRAINT_TRIGGER, errc::constraint_violation},
      {SQLITE_BUSY, errc::conflict},
      {SQLITE_BUSY_SNAPSHOT, errc::conflict},
      {SQLITE_LOCKED_SHAREDCACHE, errc::conflict},
      {SQLITE_FULL, errc::disk_full},
      {SQLITE_READONLY_DBMOVED, errc::read_only},
      {SQLITE_CORRUPT_INDEX, errc::corrupt},
      {SQLITE_NOTADB, errc::corrupt},
      {SQLITE_CANTOPEN_ISDIR, errc::unavailable},
      {SQLITE_IOERR_FSYNC, errc::io_error},
      {SQLITE_TOOBIG, errc::too_large},
      {SQLITE_MISMATCH, errc::parameter_mismatch},
      {SQLITE_NOMEM, errc::backend_error},
  };
  for (const auto& row : table) {
    CAPTURE(row.code);
    CHECK(errc_of(row.code, false) == row.wanted);
    CHECK(errc_of(row.code, true) == row.wanted);
  }
  CHECK(errc_of(SQLITE_ERROR, true) == errc::invalid_statement);
  CHECK(errc_of(SQLITE_ERROR, false) == errc::backend_error);
}

TEST_CASE("statements may look at the database but not change the connection") {
  CHECK_FALSE(why_denied(SQLITE_SELECT, nullptr, nullptr));
  CHECK_FALSE(why_denied(SQLITE_INSERT, "t", nullptr));
  CHECK_FALSE(why_denied(SQLITE_PRAGMA, "table_info", "t"));
  CHECK_FALSE(why_denied(SQLITE_PRAGMA, "USER_VERSION", "7"));
  CHECK_FALSE(why_denied(SQLITE_PRAGMA, "journal_mode", nullptr));
  CHECK_FALSE(why_denied(SQLITE_FUNCTION, nullptr, "upper"));

  CHECK(why_denied(SQLITE_TRANSACTION, "BEGIN", nullptr));
  CHECK(why_denied(SQLITE_SAVEPOINT, "BEGIN", "x"));
  CHECK(why_denied(SQLITE_ATTACH, "other.db", nullptr));
  CHECK(why_denied(SQLITE_DETACH, "other", nullptr));
  CHECK(why_denied(SQLITE_PRAGMA, "journal_mode", "delete"));
  CHECK(why_denied(SQLITE_PRAGMA, "Query_Only", "off"));
  CHECK(why_denied(SQLITE_PRAGMA, "writable_schema", "1"));
  CHECK(why_denied(SQLITE_PRAGMA, "wal_checkpoint", nullptr));
  CHECK(why_denied(SQLITE_FUNCTION, nullptr, "load_extension"));
}

TEST_CASE("a URL names the file, absolute, relative or in memory") {
  CHECK(from("sqlite:///srv/shop.db").path == "/srv/shop.db");
  CHECK(from("sqlite:/srv/shop.db").path == "/srv/shop.db");
  CHECK(from("sqlite:shop.db").path == "shop.db");
  CHECK(from("sqlite:data/shop.db").path == "data/shop.db");
  CHECK(from("sqlite:///srv/my%20shop%3F%23.db").path == "/srv/my shop?#.db");
  CHECK(from("sqlite::memory:").in_memory());
}

TEST_CASE("the query of a URL wins over the struct") {
  auto s = settings_from_url(
      "sqlite:///shop.db?statement_timeout=250ms&readers=8&synchronous=normal&mode=ro"
      "&cache_bytes=1MiB&max_value_bytes=4096",
      {.statement_timeout = 1s, .acquire_timeout = 3s});

  CHECK(s.params.statement_timeout == 250ms);
  CHECK(s.params.acquire_timeout == 3s);
  CHECK(s.params.sqlite.readers == 8);
  CHECK(s.params.sqlite.synchronous == db::synchronous_mode::normal);
  CHECK(s.params.sqlite.mode == db::sqlite_mode::read_only);
  CHECK(s.params.sqlite.cache_bytes == 1 << 20);
  CHECK(s.params.max_value_bytes == 4096);
}

TEST_CASE("a URL or setting that can never work says what is wrong and what is legal") {
  for (const char* url :
       {"", "shop.db", "postgresql://host/shop", "sqlite://shop.db", "sqlite://user@/shop.db",
        "sqlite:///", "sqlite:", "sqlite:///a%00b", "sqlite:///shop.db#x", "sqlite:///shop .db"}) {
    CAPTURE(url);
    CHECK(contains(why_invalid(url), "sqlite:"));
  }
  CHECK_FALSE(contains(why_invalid("postgresql://app:secret@host/shop"), "secret"));
  CHECK(contains(why_invalid("sqlite:///a.db?readrs=4"), "readrs"));
  CHECK(contains(why_invalid("sqlite:///a.db?readers=many"), "readers"));
  CHECK(contains(why_invalid("sqlite:///a.db?readers=65"), "64"));
  CHECK(contains(why_invalid("sqlite:///a.db?mode=rx"), "rwc"));
  CHECK(contains(why_invalid("sqlite:///a.db", {.statement_timeout = 0s}),
                 "client_params.statement_timeout"));
  CHECK(contains(why_invalid("sqlite:///a.db", {.max_value_bytes = 1}),
                 "client_params.max_value_bytes"));
}

TEST_CASE("the statement cache drops what was not used for longest") {
  statement_cache cache(2);
  cache.insert(entry("a"));
  cache.insert(entry("b"));

  CHECK(cache.find("a") != nullptr);
  cache.insert(entry("c"));

  CHECK(cache.find("b") == nullptr);
  CHECK(cache.find("a") != nullptr);
  CHECK(cache.find("c") != nullptr);
  CHECK(cache.size() == 2);
}

TEST_CASE("a text that came to lie where another one was is not taken for it") {
  statement_cache cache(4);
  cache.insert(entry("select 1"));
  cache.insert(entry("select 2"));
  std::string buffer = "select 1";

  auto* first = cache.find(buffer);
  buffer.back() = '2';
  auto* second = cache.find(buffer);
  buffer.back() = '3';

  CHECK(first->text == "select 1");
  CHECK(second->text == "select 2");
  CHECK(cache.find(buffer) == nullptr);
}

TEST_CASE("an erased statement is not found by its address any more") {
  statement_cache cache(4);
  std::string text = "select 1";
  cache.insert(entry(text));
  cache.find(text);

  cache.erase(text);

  CHECK(cache.find(text) == nullptr);
  CHECK(cache.size() == 0);
}
