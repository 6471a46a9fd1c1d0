#include "scalekit/slow/lexer.hpp"

#include "support/sanitizer.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <string>
#include <vector>

using namespace scalekit::slow;

namespace {

std::vector<token> tokens_of(std::string_view sql, dialect d) {
  std::vector<token> found;
  lexer lex(sql, d);
  for (auto t = lex.next(); t.kind != token_kind::end; t = lex.next()) found.push_back(t);
  return found;
}

struct lexical_case {
  std::string_view what;
  dialect d;
  std::string_view sql;
  token_kind kind;
  /// What the first token must be.
  std::string_view first;
};

constexpr auto pg = dialect::postgres;
constexpr auto pg_backslash = dialect::postgres_backslash_strings;
constexpr auto lite = dialect::sqlite;

const lexical_case cases[] = {
    {"doubled quotes stay inside", pg, "'it''s' x", token_kind::string, "'it''s'"},
    {"a backslash is a character", pg, R"('a\' b)", token_kind::string, R"('a\')"},
    {"a backslash escapes in E''", pg, R"(E'a\'b' x)", token_kind::string, R"(E'a\'b')"},
    {"a backslash escapes where the server says so", pg_backslash, R"('a\'b' x)",
     token_kind::string, R"('a\'b')"},
    {"no E'' in SQLite", lite, "e'a'", token_kind::word, "e"},
    {"U&''", pg, R"(U&'d\0061t' uescape '!')", token_kind::string, R"(U&'d\0061t')"},
    {"U& quoted name", pg, R"(u&"d\0061t" x)", token_kind::quoted_name, R"(u&"d\0061t")"},
    {"B''", pg, "b'01' x", token_kind::string, "b'01'"},
    {"X'' in PostgreSQL", pg, "X'1F'x", token_kind::string, "X'1F'"},
    {"X'' in SQLite", lite, "x'1f' y", token_kind::string, "x'1f'"},
    {"N''", pg, "n'a' x", token_kind::string, "n'a'"},
    {"a word before a quote is no prefix", pg, "like'a'", token_kind::word, "like"},
    {"literals continue on the next line", pg, "'a'\n 'b' x", token_kind::string, "'a'\n 'b'"},
    {"literals continue past line comments", pg, "'a' -- no\n  -- no\n'b'", token_kind::string,
     "'a' -- no\n  -- no\n'b'"},
    {"literals do not continue on the same line", pg, "'a' 'b'", token_kind::string, "'a'"},
    {"literals do not continue in SQLite", lite, "'a'\n'b'", token_kind::string, "'a'"},
    {"dollar quotes", pg, "$$it's$$ x", token_kind::string, "$$it's$$"},
    {"tagged dollar quotes hold other tags", pg, "$a$ $b$ $$ $a$x", token_kind::string,
     "$a$ $b$ $$ $a$"},
    {"a dollar inside a name opens no quote", pg, "a$b$c", token_kind::word, "a$b$c"},
    {"numbered parameter", pg, "$12::int", token_kind::parameter, "$12"},
    {"a parameter that runs into a word", pg, "$1OR", token_kind::parameter, "$1"},
    {"nested comments", pg, "/* a /* b */ c */x", token_kind::comment, "/* a /* b */ c */"},
    {"comments do not nest in SQLite", lite, "/* a /* b */ c", token_kind::comment, "/* a /* b */"},
    {"line comment", pg, "-- it's\nx", token_kind::comment, "-- it's"},
    {"a carriage return ends a line in PostgreSQL", pg, "-- a\rx", token_kind::comment, "-- a"},
    {"a carriage return ends no line in SQLite", lite, "-- a\rx", token_kind::comment, "-- a\rx"},
    {"quoted name", pg, R"("a""b".c)", token_kind::quoted_name, R"("a""b")"},
    {"backtick name", lite, "`a``b` c", token_kind::quoted_name, "`a``b`"},
    {"bracket name", lite, "[a b]c", token_kind::quoted_name, "[a b]"},
    {"bracket of an array", pg, "[1]", token_kind::op, "["},
    {"name with bytes above ASCII", pg,
     "gr\xc3\xb6\xc3\x9f"
     "e = 1",
     token_kind::word,
     "gr\xc3\xb6\xc3\x9f"
     "e"},
    {"exponent", pg, "1e5 x", token_kind::number, "1e5"},
    {"signed exponent", pg, "1.5E-10)", token_kind::number, "1.5E-10"},
    {"leading point", pg, ".5 x", token_kind::number, ".5"},
    {"trailing point", pg, "1. x", token_kind::number, "1."},
    {"hexadecimal", lite, "0xFF,", token_kind::number, "0xFF"},
    {"separators", pg, "1_000_000;", token_kind::number, "1_000_000"},
    {"a range is two numbers", pg, "1..10", token_kind::number, "1"},
    {"a number that runs into letters is one piece of junk", pg, "12ab_c$d+1", token_kind::number,
     "12ab_c$d"},
    {"cast", pg, "::int", token_kind::op, "::"},
    {"assignment", pg, ":=1", token_kind::op, ":="},
    {"jsonb has", pg, "? 'k'", token_kind::op, "?"},
    {"jsonb has any", pg, "?| array", token_kind::op, "?|"},
    {"jsonb has all", pg, "?& array", token_kind::op, "?&"},
    {"contains", pg, "@> '{}'", token_kind::op, "@>"},
    {"a sign after an operator stands alone", pg, "=-1", token_kind::op, "="},
    {"a sign ends an unusual operator", pg, "@-1", token_kind::op, "@-"},
    {"a comment ends an operator", pg, "=--x", token_kind::op, "="},
    {"json arrow", lite, "->>'$.a'", token_kind::op, "->>"},
    {"SQLite operators are short", lite, "=-1", token_kind::op, "="},
    {"plain parameter", lite, "?,", token_kind::parameter, "?"},
    {"numbered SQLite parameter", lite, "?12,", token_kind::parameter, "?12"},
    {"colon parameter", lite, ":name,", token_kind::parameter, ":name"},
    {"at parameter", lite, "@name,", token_kind::parameter, "@name"},
    {"dollar parameter", lite, "$a::b(c)x", token_kind::parameter, "$a::b(c)"},
    {"at is an operator in PostgreSQL", pg, "@x", token_kind::op, "@"},
    {"NUL", pg, std::string_view("\0a", 2), token_kind::other, std::string_view("\0", 1)},
    {"lone dollar", pg, "$ x", token_kind::other, "$"},
    {"lone colon in SQLite", lite, ": x", token_kind::other, ":"},
    {"vertical tab is no space in SQLite", lite, "\v x", token_kind::other, "\v"},
};

struct open_case {
  std::string_view what;
  dialect d;
  std::string_view sql;
};

const open_case unclosed[] = {
    {"string", pg, "'abc"},
    {"string after a doubled quote", pg, "'abc''"},
    {"escape at the end", pg, R"(E'a\)"},
    {"dollar quote", pg, "$a$ b $$"},
    {"nested comment", pg, "/* /* */"},
    {"comment", lite, "/* a"},
    {"quoted name", pg, "\"abc"},
    {"bracket name", lite, "[abc"},
    {"continued string", pg, "'a'\n'b"},
};

}  // namespace

TEST_CASE("tokens are those of the server") {
  for (const auto& c : cases) {
    CAPTURE(c.what);

    auto found = tokens_of(c.sql, c.d);

    REQUIRE(!found.empty());
    CHECK(found.front().kind == c.kind);
    CHECK(found.front().text == c.first);
    CHECK(found.front().terminated);
  }
}

TEST_CASE("what is never closed reaches the end and says so") {
  for (const auto& c : unclosed) {
    CAPTURE(c.what);

    auto found = tokens_of(c.sql, c.d);

    REQUIRE(found.size() == 1);
    CHECK(found.front().text == c.sql);
    CHECK_FALSE(found.front().terminated);
  }
}

TEST_CASE("the end is told again and again") {
  lexer lex("a", pg);
  lex.next();

  CHECK(lex.next().kind == token_kind::end);
  CHECK(lex.next().kind == token_kind::end);
  CHECK(lex.next().text.empty());
}

TEST_CASE("the tokens of every pair of bytes put together are the text") {
  for (auto d : {pg, pg_backslash, lite}) {
    for (int a = 0; a < 256; ++a) {
      for (int b = 0; b < 256; ++b) {
        const std::string sql = {static_cast<char>(a), static_cast<char>(b), 'x'};
        std::string joined;
        for (const auto& t : tokens_of(sql, d)) {
          REQUIRE(!t.text.empty());
          joined += t.text;
        }
        REQUIRE(joined == sql);
      }
    }
  }
}

TEST_CASE("a million of anything is read in one pass, without a stack") {
  // Each of these is quadratic or deep in a lexer that looks ahead, or recurses, without bound;
  // the test's own timeout is the check.
  for (std::string_view piece :
       {"(",  "/*", "'",    "''\n",      "$a", "$a$", "+-", "+",  "-", "::", "$::", ":a(",
        "\"", "[",  "E'\\", "'a'\n--\n", "U&", "1e",  ".",  "1.", "?", "\\", "--\n"}) {
    std::string sql;
    while (sql.size() < support::fewer_under_sanitizer(1'000'000U)) sql += piece;
    for (auto d : {pg, lite}) {
      lexer lex(sql, d);
      std::size_t read = 0;
      for (auto t = lex.next(); t.kind != token_kind::end; t = lex.next()) read += t.text.size();
      CHECK(read == sql.size());
    }
  }
}

TEST_CASE("keywords are compared without case") {
  CHECK(is_keyword("SeLect", "select"));
  CHECK_FALSE(is_keyword("selects", "select"));
  CHECK_FALSE(is_keyword("", "select"));
}
