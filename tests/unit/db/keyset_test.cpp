#include "scalekit/db/keyset.hpp"

#include "support/throws_errc.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace db = scalekit::db;
using db::sql;
using scalekit::errc;
using namespace std::string_literals;

namespace {

db::keyset_params by_name() {
  return {.secret = "0123456789abcdef", .context = "products", .columns = {"name", "id"}};
}

std::string rejection_of(db::keyset_params params) {
  try {
    const db::keyset made(std::move(params));
  } catch (const std::invalid_argument& e) {
    return e.what();
  }
  return {};
}

}  // namespace

TEST_CASE("a cursor gives back its key, typed, whatever it holds") {
  auto params = by_name();
  params.columns = {"a", "b", "c", "d"};
  const db::keyset listing(params);
  const std::string text = "'; drop table x; --\0\xff"s;
  const scalekit::bytes blob{std::byte{0}, std::byte{255}};

  const auto cursor = listing.cursor(std::int64_t{-5}, 0.1, text, blob);
  const auto key = listing.key_of(cursor);

  CHECK(cursor.find_first_not_of(
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") ==
        std::string::npos);
  REQUIRE(key.size() == 4);
  CHECK(key[0].integer() == -5);
  CHECK(key[1].real() == 0.1);
  CHECK(key[2].text() == text);
  CHECK(key[3].blob().size() == 2);
}

TEST_CASE("a cursor that was changed anywhere is refused") {
  const db::keyset listing(by_name());
  const auto cursor = listing.cursor("sofa", 42);

  for (std::size_t at = 0; at < cursor.size(); ++at) {
    CAPTURE(at);
    auto changed = cursor;
    changed[at] = changed[at] == 'A' ? 'B' : 'A';
    CHECK_ERRC(listing.key_of(changed), errc::invalid_argument);
    CHECK_ERRC(listing.key_of(cursor.substr(0, at)), errc::invalid_argument);
  }
  CHECK_ERRC(listing.key_of(cursor + "A"), errc::invalid_argument);
  CHECK_ERRC(listing.key_of(std::string(5000, 'A')), errc::invalid_argument);
  CHECK_FALSE(support::contains(support::error_of([&] { listing.key_of("not-a-cursor"); }).what(),
                                "not-a-cursor"));
}

TEST_CASE("a cursor is refused by every other listing") {
  const auto cursor = db::keyset(by_name()).cursor("sofa", 42);
  auto other_secret = by_name(), other_context = by_name(), other_columns = by_name(),
       other_direction = by_name(), moved_name = by_name();
  other_secret.secret = "another secret of 16";
  other_context.context = "orders";
  other_columns.columns = {"name", "no"};
  other_direction.descending = true;
  moved_name.columns = {"namei", "d"};

  for (const auto& params :
       {other_secret, other_context, other_columns, other_direction, moved_name}) {
    CHECK_ERRC(db::keyset(params).key_of(cursor), errc::invalid_argument);
  }
  CHECK(db::keyset(by_name()).key_of(cursor)[1].integer() == 42);
}

TEST_CASE("while a secret is changed the cursors of the one before hold") {
  const auto old_cursor = db::keyset(by_name()).cursor("sofa", 42);
  auto params = by_name();
  params.previous_secret = std::exchange(params.secret, "the secret that is new");
  const db::keyset listing(params);

  CHECK(listing.key_of(old_cursor)[0].text() == "sofa");
  CHECK_ERRC(db::keyset(by_name()).key_of(listing.cursor("sofa", 42)), errc::invalid_argument);
}

TEST_CASE("a page is the query in the order of the listing, from its cursor on") {
  const db::keyset listing(by_name());
  auto params = by_name();
  params.descending = true;
  params.columns = {"a\"b"};
  const db::keyset newest(params);
  const auto query = sql("select id, name from product where category = $1", "sofa");

  const auto first = listing.page(query, "", 20);
  const auto later = listing.page(query, listing.cursor("bed", 7), 20);
  const auto back = newest.page(sql("select 1"), newest.cursor(9), 5);

  CHECK(first.text() ==
        "select * from (select id, name from product where category = $1\n) as page"
        " order by \"name\", \"id\" limit $2");
  CHECK(first.parameters()[1].integer() == 20);
  CHECK(later.text() ==
        "select * from (select id, name from product where category = $1\n) as page"
        " where (\"name\", \"id\") > ($2, $3) order by \"name\", \"id\" limit $4");
  CHECK(later.parameters()[0].text() == "sofa");
  CHECK(later.parameters()[1].text() == "bed");
  CHECK(later.parameters()[2].integer() == 7);
  CHECK(later.parameters()[3].integer() == 20);
  CHECK(later.site().line() == query.site().line());
  CHECK(back.text() ==
        "select * from (select 1\n) as page where (\"a\"\"b\") < ($1) order by \"a\"\"b\" desc"
        " limit $2");
}

TEST_CASE("a key that does not fit the listing makes no cursor") {
  const db::keyset listing(by_name());

  CHECK_ERRC(listing.cursor("sofa"), errc::invalid_argument);
  CHECK_ERRC(listing.cursor("sofa", 1, 2), errc::invalid_argument);
  CHECK_ERRC(listing.cursor("sofa", std::optional<int>()), errc::invalid_argument);
  CHECK_ERRC(listing.cursor("sofa", std::vector<int>{1}), errc::invalid_argument);
  CHECK_ERRC(listing.cursor(std::string(1000, 'x'), 1), errc::too_large);
}

TEST_CASE("a listing that cannot work is refused, without its secret") {
  auto short_secret = by_name(), no_context = by_name(), no_columns = by_name();
  short_secret.secret = "topsecret";
  no_context.context = "";
  no_columns.columns = {};

  CHECK(rejection_of(short_secret) == "keyset_params.secret.size() is 9; legal: 16 to 1024");
  CHECK(rejection_of(no_context) == "keyset_params.context.size() is 0; legal: 1 to 256");
  CHECK(rejection_of(no_columns) == "keyset_params.columns.size() is 0; legal: 1 to 16");
}
