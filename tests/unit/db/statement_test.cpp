#include "scalekit/db/statement.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

using scalekit::db::sql;
using scalekit::db::statement;
using scalekit::db::unsafe_sql;

namespace {

template <class Text>
concept accepted_by_sql = requires(const Text& text) { sql(text); };

}  // namespace

TEST_CASE("sql() takes literals only") {
  static_assert(!accepted_by_sql<std::string>);
  static_assert(!accepted_by_sql<std::string_view>);
  static_assert(!accepted_by_sql<const char*>);

  CHECK(sql("select 1").text() == "select 1");
}

TEST_CASE("a statement remembers where it was written") {
  auto line = __LINE__ + 1;
  auto literal = sql("select $1", 1);
  auto built = unsafe_sql(std::string("select ") + "$1", 1);

  CHECK(literal.site().line() == line);
  CHECK(built.site().line() == line + 1);
  CHECK(std::string_view(literal.site().file_name()).ends_with("statement_test.cpp"));
}

TEST_CASE("a statement owns its text and its values") {
  auto make = [] {
    std::string text = "select $1, $2 from a table with a long name";
    std::string value(100, 'v');
    return unsafe_sql(text, value, 7);
  };

  statement copy = make();
  statement moved = std::move(copy);
  statement again = moved;

  CHECK(again.text() == "select $1, $2 from a table with a long name");
  CHECK(again.parameters()[0].text() == std::string(100, 'v'));
  CHECK(again.parameters()[1].integer() == 7);
}

TEST_CASE("parameters may be added one by one") {
  auto s = unsafe_sql("select $1, $2", 1);

  s.bind("two");

  CHECK(s.parameters().size() == 2);
  CHECK(s.parameters()[1].text() == "two");
}
