#include "scalekit/slow/statements.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace scalekit::slow;

namespace {

std::vector<std::string> split(std::string_view script, dialect d) {
  std::vector<std::string> found;
  statement_reader reader(script, d);
  while (auto s = reader.next()) found.emplace_back(s->text);
  return found;
}

using texts = std::vector<std::string>;

}  // namespace

TEST_CASE("semicolons separate statements, and empty ones are passed over") {
  CHECK(split(" ; select 1 ;; -- end\n select 2 /* x */ ;", dialect::sqlite) ==
        texts{"select 1", "select 2"});
  CHECK(split("", dialect::sqlite).empty());
  CHECK(split(" -- nothing", dialect::sqlite).empty());
}

TEST_CASE("semicolons in literals, names and comments do not separate") {
  CHECK(split("select ';', \";\" /* ; */ -- ;\n, $$;$$", dialect::postgres).size() == 1);
}

TEST_CASE("a trigger body is part of its statement") {
  const auto* trigger =
      "create temp trigger t after insert on a begin"
      " update b set n = case when n > 0 then 1 else 2 end; delete from c; end";

  auto found = split(std::string(trigger) + "; select 1", dialect::sqlite);

  CHECK(found == texts{trigger, "select 1"});
}

TEST_CASE("a BEGIN ATOMIC body is part of its statement") {
  const auto* function = "create function f() returns int begin atomic select 1; select 2; end";

  CHECK(split(std::string(function) + "; select 3", dialect::postgres) ==
        texts{function, "select 3"});
}

TEST_CASE("BEGIN as a statement of its own opens no body") {
  CHECK(split("begin; create table t (a int); end;", dialect::sqlite) ==
        texts{"begin", "create table t (a int)", "end"});
  CHECK(split("create table t (begin int); select 1", dialect::sqlite).size() == 2);
}

TEST_CASE("the first keyword is found behind comments, and is not guessed") {
  CHECK(first_keyword("/* hint */ -- x\n ; With a as (select 1) select 2", dialect::sqlite) ==
        "With");
  CHECK(first_keyword("(select 1)", dialect::postgres).empty());
  CHECK(first_keyword("'select'", dialect::postgres).empty());
  CHECK(first_keyword("", dialect::postgres).empty());
}
