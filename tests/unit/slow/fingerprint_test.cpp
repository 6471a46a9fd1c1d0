#include "scalekit/slow/fingerprint.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace scalekit::slow;

namespace {

constexpr auto pg = dialect::postgres;
constexpr auto lite = dialect::sqlite;

struct text_case {
  std::string_view what;
  dialect d;
  std::string_view sql;
  std::string_view text;
};

const text_case cases[] = {
    {"literals", pg, "select 'a', 1, .5, 1e5, X'00', B'1', E'a\\'b', $$x$$, N'y'",
     "select ?, ?, ?, ?, ?, ?, ?, ?, ?"},
    {"parameters", pg, "select * from t where a=$1 and b = $2",
     "select * from t where a = ? and b = ?"},
    {"parameters of SQLite", lite, "select ?, ?1, :a, @b, $c", "select ?, ?, ?, ?, ?"},
    {"keywords are folded, names are not", pg, "SELECT Id FROM Orders WHERE \"Total\" > 5",
     "select Id from Orders where \"Total\" > ?"},
    {"a qualified keyword is a name", pg, "select T.SELECT, \"s\".X from S.T",
     "select T.SELECT, \"s\".X from S.T"},
    {"comments and spaces", pg, "/*+ hint /* nested */ */select -- x\n\t1 ;", "select ?"},
    {"IN list", pg, "select 1 from t where a in (1,2, 3)", "select ? from t where a in (?)"},
    {"IN list of one", pg, "select 1 from t where a in (1)", "select ? from t where a in (?)"},
    {"IN list with signs, NULL and parameters", pg, "a IN (-1, NULL, $3, 'x')", "a in (?)"},
    {"IN list of rows", pg, "(a,b) in ((1,2),(3,4))", "(a, b) in ((?, ?))"},
    {"IN list with casts", pg, "a in ('x'::text, 'y'::text)", "a in (?::text)"},
    {"IN list with columns", pg, "a in (b, 1, 2, c)", "a in (b, ?, c)"},
    {"IN subquery keeps its columns", pg, "(a, b) in (select 1, 2)", "(a, b) in (select ?, ?)"},
    {"= any stays apart", pg, "a = any($1)", "a = any (?)"},
    {"ARRAY list", pg, "a = any(array[1,2,3])", "a = any (array[?])"},
    {"VALUES of one row", pg, "insert into t (a,b) values (1,'x')",
     "insert into t(a, b) values (?, ?)"},
    {"VALUES of many rows", pg,
     "insert into t (a,b) values (1,'x'), (2,now()),(3,(select 4)) "
     "on conflict do nothing",
     "insert into t(a, b) values (?, ?) on conflict do nothing"},
    {"VALUES in FROM", pg, "select * from (values (1,2),(3,4)) v(a,b)",
     "select * from (values (?, ?)) v(a, b)"},
    {"the sign of a number", pg, "a=-1 and b > +2 and c between -1 and -2 limit -1",
     "a = ? and b > ? and c between ? and ? limit ?"},
    {"a difference keeps its minus", pg, "a -1, b-1, f(x)-1, 2-1, arr[1]-1",
     "a - ?, b - ?, f(x) - ?, ? - ?, arr[?] - ?"},
    {"TRUE and FALSE", pg, "a = true and b = FALSE", "a = ? and b = ?"},
    {"tests for NULL", pg, "a is null and b is not null and c IS TRUE",
     "a is null and b is not null and c is true"},
    {"jsonb operators", pg, "j ? 'k' and j ?| array['a','b'] and j @> '{}' and j->>'a' = 'b'",
     "j ? ? and j ?| array[?] and j @> ? and j ->> ? = ?"},
    {"casts", pg, "'2024-01-01'::date, cast('1' as int), interval '1 day'",
     "?::date, cast (? as int), interval ?"},
    {"statements of a script", pg, "begin; update t set a=1;;commit;",
     "begin; update t set a = ?; commit"},
    // What other normalisers leak.
    {"PREPARE", pg, "prepare s as select * from t where a = 'secret'",
     "prepare s as select * from t where a = ?"},
    {"EXECUTE", pg, "execute s(1, 'secret')", "execute s(?, ?)"},
    {"CALL", pg, "call p(1, 'secret')", "call p(?, ?)"},
    {"FETCH", pg, "fetch 100 from c", "fetch ? from c"},
    {"FETCH BACKWARD", pg, "FETCH -100 from c", "fetch ? from c"},
    {"role password", pg, "create role r login password 'secret'",
     "create role r login password ?"},
    {"role password in the wrong quotes", pg, "alter role r password \"secret\"",
     "alter role r password ?"},
    {"SET", pg, "set app.token to secret, other", "set app.token to ?"},
    {"SET with =", pg, "SET LOCAL app.token = secret", "set local app.token = ?"},
    {"SET of an UPDATE", pg, "update t set a = b", "update t set a = b"},
    {"PRAGMA key", lite, "pragma key = secret", "pragma key = ?"},
    {"PRAGMA key in quotes", lite, "PRAGMA key(\"secret\")", "pragma key (?)"},
    {"PRAGMA in one script", lite, "pragma key=secret; select a", "pragma key = ?; select a"},
    {"ATTACH", lite, "attach 'f' as a key secret", "attach ? as a key ?"},
    {"PRAGMA, explained", lite, "explain pragma key = secret", "explain pragma key = ?"},
    {"ATTACH by name", lite, "attach database \"file:a?key=secret\" as a",
     "attach database ? as a"},
    {"SET of an ALTER", pg, "alter role r set app.token = \"secret\"",
     "alter role r set app.token = ?"},
    {"SET of an ALTER with TO", pg, "ALTER DATABASE d SET app.token TO secret, other",
     "alter database d set app.token to ?"},
    {"SET of an ALTER TABLE", pg, "alter table t alter c set default 5, add check (a = b)",
     "alter table t alter c set default ?, add check (a = b)"},
    {"an apostrophe not doubled", pg, "select a from t where b = 'O'Brien' and c = 'secret'",
     "select a from t where b = ?"},
    {"an apostrophe not doubled in PRAGMA", lite, "select 1; pragma key('it's secret')",
     "select ?; pragma key (?)"},
    {"an apostrophe not doubled in SET", pg, "set a to b, 'it's secret'", "set a to ?"},
    {"two of them", pg, "select a from t where b = 'O'Brien d'Arc' and c = 1",
     "select a from t where b = ?"},
    {"an apostrophe escaped as elsewhere", lite, "select a from t where b in (1, 'it\\'s secret')",
     "select a from t where b in (?, ?"},
    {"words right behind literals", pg, "select 'a'as b, $$x$$language sql, 'c'::text",
     "select ? as b, ? language sql, ?::text"},
    {"savepoints", lite, "savepoint sp_17", "savepoint ?"},
    {"rollback to a savepoint", lite, "rollback to savepoint sp_17", "rollback to savepoint ?"},
    {"unclosed string", pg, "select a from t where b = 'secret", "select a from t where b = ?"},
    {"unclosed quoted name", pg, "select \"secret", "select ?"},
    {"a number with letters", pg, "where id = 12ab34", "where id = ?"},
    {"control characters", pg, "select \x01, \"a\nb\"", "select ?, \"a_b\""},
    {"control characters beyond ASCII", pg, "select \"a\xc2\x9b\", \"b\xe2\x80\xa8\", \"\xc2\xa0\"",
     "select \"a__\", \"b___\", \"\xc2\xa0\""},
    {"broken UTF-8", pg, "select \"a\xff\", gr\xc3\xbcn", "select \"a_\", gr\xc3\xbcn"},
    {"nothing", pg, " ; -- ", ""},
};

}  // namespace

TEST_CASE("the normalised text holds the shape and no value") {
  for (const auto& c : cases) {
    CAPTURE(c.what);

    auto done = normalize(c.sql, c.d);

    CHECK(done.text == c.text);
    CHECK_FALSE(done.truncated);
    CHECK(done.fingerprint != 0);
  }
}

TEST_CASE("normalising the normalised text changes nothing") {
  for (const auto& c : cases) {
    CAPTURE(c.what);
    auto once = normalize(c.sql, c.d);

    auto twice = normalize(once.text, c.d);

    CHECK(twice.text == once.text);
    CHECK(twice.fingerprint == once.fingerprint);
  }
}

TEST_CASE("statements of different shape have different fingerprints") {
  const std::string_view different[] = {
      "select a from t",
      "select b from t",
      "select a from T",
      "select a from t where a = 1",
      "select a from t where a in (1)",
      "select a from t where a = any($1)",
      "select a from t where a is null",
      "select a from t where a is not null",
      "insert into t values (1)",
      "insert into t values (1, 2)",
      "select a, a from t",
      "select a from s.t",
      "delete from t where a = 1",
  };

  for (const auto& a : different) {
    for (const auto& b : different) {
      CAPTURE(a);
      CAPTURE(b);
      CHECK((normalize(a, pg).fingerprint == normalize(b, pg).fingerprint) == (&a == &b));
    }
  }
}

TEST_CASE("fingerprints do not change between builds: they are stored and compared") {
  CHECK(normalize("select name from product where id = 42", lite).fingerprint ==
        0x2263a12a1dc643a3);
}

TEST_CASE("a long text is cut between characters, and the fingerprint covers the rest") {
  const std::string head = "select gr\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc";

  for (std::size_t max = 0; max < head.size(); ++max) {
    auto a = normalize(head + ", a", pg, {.max_text_bytes = max});
    auto b = normalize(head + ", b", pg, {.max_text_bytes = max});
    CAPTURE(a.text);
    CHECK(a.truncated);
    CHECK(a.text.size() <= max);
    CHECK((max < 3 || a.text.ends_with("...")));
    CHECK(normalize("\"" + a.text + "\"", pg).text.find('_') == std::string::npos);
    CHECK(a.text == b.text);
    CHECK(a.fingerprint != b.fingerprint);
  }
}

TEST_CASE("only the beginning of a huge statement is read") {
  std::string sql = "select a from t where b = '";
  sql.append(10'000'000, 'x');

  auto done = normalize(sql, pg, {.max_sql_bytes = 1000});

  CHECK(done.text == "select a from t where b = ?");
}

TEST_CASE("lists of ten thousand and nests of a hundred thousand are taken in one pass") {
  std::string list = "select a from t where b in (1";
  for (int i = 0; i < 10'000; ++i) list += "," + std::to_string(i);
  list += ")";
  const std::string nest(100'000, '(');

  CHECK(normalize(list, pg).text == "select a from t where b in (?)");
  CHECK(normalize("select " + nest + "1", pg).truncated);
}
