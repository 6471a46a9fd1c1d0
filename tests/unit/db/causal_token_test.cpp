#include "scalekit/db/causal_token.hpp"

#include "scalekit/db/consistency.hpp"
#include "scalekit/db/session.hpp"
#include "support/throws_errc.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <limits>
#include <string>

using namespace scalekit;
using namespace std::chrono_literals;
using db::causal_token;
using db::consistency;

TEST_CASE("a token is read back from its text, whatever its numbers") {
  using big = std::numeric_limits<std::uint64_t>;
  const causal_token tokens[] = {
      {},
      causal_token::sqlite(),
      causal_token::postgres(1, 1, 1),
      causal_token::postgres(7'391'846'127'413'046'302, 3, 0x16B374D848),
      causal_token::postgres(big::max(), std::numeric_limits<std::uint32_t>::max(), big::max()),
  };
  for (const auto& token : tokens) {
    const auto text = token.to_string();
    CAPTURE(text);

    CHECK(causal_token::parse(text) == token);
    CHECK(text.size() <= 48);
    CHECK(text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string::npos);
  }
  CHECK(causal_token::sqlite().to_string() == "sqlite");
}

TEST_CASE("what is no token is refused, saying which part, and not repeated") {
  struct {
    std::string text;
    std::string part;
  } table[] = {
      {"SQLITE", "no known database"},
      {"sqlite ", "no known database"},
      {"mysql-1-1-1", "no known database"},
      {"pg-", "system id"},
      {"pg-0-1-1", "system id"},
      {"pg--1-1", "system id"},
      {"pg-1", "system id"},
      {"pg-1-", "timeline"},
      {"pg-1-0-1", "timeline"},
      {"pg-1-100000000-1", "timeline"},
      {"pg-1-1", "timeline"},
      {"pg-1-1-", "log position"},
      {"pg-1-1-1-", "log position"},
      {"pg-1-1-1 ", "log position"},
      {"pg-1-1--1", "log position"},
      {"pg-1-1-10000000000000000", "log position"},
      {"pg-1-1-0x1", "log position"},
      {"pg-01-1-1", "not in the form"},
      {"pg-1-1-AB", "not in the form"},
      {"pg-1-1-1\r\nSet-Cookie: x=y", "log position"},
  };
  for (const auto& row : table) {
    CAPTURE(row.text);

    const auto e = support::error_of([&] { causal_token::parse(row.text); });

    CHECK(e.code() == errc::invalid_argument);
    CHECK(support::contains(e.what(), row.part));
    CHECK_FALSE(support::contains(e.what(), row.text + ";"));
    CHECK_FALSE(support::contains(e.what(), "Cookie"));
  }
  CHECK_ERRC(causal_token::parse(std::string("sqlite\0", 7)), errc::invalid_argument);
  CHECK_ERRC(causal_token::parse(std::string(1 << 20, 'a')), errc::invalid_argument);
}

TEST_CASE("of two tokens of one database the later one is kept") {
  auto token = causal_token{};

  token.merge(causal_token::postgres(7, 1, 100));
  token.merge({});
  token.merge(causal_token::postgres(7, 1, 90));
  CHECK(token == causal_token::postgres(7, 1, 100));

  token.merge(causal_token::postgres(7, 2, 95));
  CHECK(token == causal_token::postgres(7, 2, 95));
  token.merge(causal_token::postgres(7, 1, 200));
  CHECK(token == causal_token::postgres(7, 2, 95));
}

TEST_CASE("tokens of different databases do not mix") {
  auto token = causal_token::postgres(7, 1, 100);

  CHECK_ERRC(token.merge(causal_token::postgres(8, 1, 200)), errc::invalid_argument);
  CHECK_ERRC(token.merge(causal_token::sqlite()), errc::invalid_argument);
  CHECK(token == causal_token::postgres(7, 1, 100));
  CHECK_FALSE(token.can_merge(causal_token::postgres(8, 1, 200)));
  CHECK_FALSE(token.can_merge(causal_token::sqlite()));
  CHECK(token.can_merge(causal_token::postgres(7, 2, 1)));
  CHECK(token.can_merge({}));
  CHECK(causal_token{}.can_merge(token));
}

TEST_CASE("a session goes on from a cookie and keeps the newest of its writes") {
  db::session visitor("pg-7-1-64");
  auto same = visitor;

  same.observe("pg-7-1-c8");
  same.observe("pg-7-1-96");
  same.observe("");

  CHECK(visitor.token() == "pg-7-1-c8");
  CHECK_ERRC(visitor.observe("pg-7-1-zz"), errc::invalid_argument);
  CHECK_ERRC(visitor.observe("sqlite"), errc::invalid_argument);
  CHECK_ERRC(db::session("nonsense"), errc::invalid_argument);
  CHECK(db::session().token().empty());
  CHECK(visitor.token() == "pg-7-1-c8");
}

TEST_CASE("consistency is a value; by default one's own writes are seen") {
  db::session visitor("pg-7-1-64");

  CHECK(consistency{}.what() == consistency::kind::own_writes);
  CHECK(consistency::primary().what() == consistency::kind::primary);
  CHECK(consistency::any().what() == consistency::kind::any);
  CHECK(consistency::bounded(2s).lag() == 2s);
  CHECK(consistency::after("pg-7-1-64").token() == causal_token::postgres(7, 1, 100));
  CHECK(consistency::after("").token().is_empty());
  CHECK(consistency::after("sqlite").token() == causal_token::sqlite());

  const auto then = consistency::after(visitor);
  visitor.observe("pg-7-1-c8");
  CHECK(then.token() == causal_token::postgres(7, 1, 100));

  CHECK_ERRC(consistency::after("nonsense"), errc::invalid_argument);
  CHECK_ERRC(consistency::bounded(-1ns), errc::invalid_argument);
}
