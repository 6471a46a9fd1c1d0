#include "support/postgres/server.hpp"

#include <doctest/doctest.h>

using support::postgres::server;

// The fixtures that the tests of the PostgreSQL driver stand on.

TEST_CASE("a server of one's own answers, restarts and keeps its rows") {
  server s;
  s.exec("create table t (a int); insert into t values (7)");

  CHECK(s.query_one("select a from t") == "7");
  s.restart();
  CHECK(s.query_one("select a from t") == "7");
  s.kill9();
  s.start();
  CHECK(s.query_one("select a from t") == "7");
}
