// How statements are cancelled by what libpq has since 17, here played by the test where the
// installed one is older. A program of its own: the library was compiled for the installed one.

#include <libpq-fe.h>

#ifndef LIBPQ_HAS_ASYNC_CANCEL
#define LIBPQ_HAS_ASYNC_CANCEL 1
#define SCALEKIT_TEST_PLAYS_LIBPQ 1

struct pg_cancel_conn {
  PGconn* of;
};
using PGcancelConn = pg_cancel_conn;

namespace {
PGcancelConn* made = nullptr;
int finished = 0;
int answer = 1;
}  // namespace

extern "C" {
static PGcancelConn* PQcancelCreate(PGconn* of) {
  made = new PGcancelConn{of};
  return made;
}
static int PQcancelBlocking(PGcancelConn* c) {
  return c == made ? answer : 0;
}
static void PQcancelFinish(PGcancelConn* c) {
  delete c;
  ++finished;
}
}
#endif

#include "db/postgres/pq_cancel.hpp"

#include <doctest/doctest.h>

using namespace scalekit::db::postgres;

#ifdef SCALEKIT_TEST_PLAYS_LIBPQ

TEST_CASE("a cancel of libpq 17 is made once, sent, told of, and given back") {
  int somewhere = 0;
  auto* conn = reinterpret_cast<PGconn*>(&somewhere);
  {
    const auto cancel = cancel_of(conn);
    CHECK(cancel.get() == made);
    CHECK(made->of == conn);
    CHECK(send(cancel));
    answer = 0;
    CHECK_FALSE(send(cancel));
    CHECK(finished == 0);
  }
  CHECK(finished == 1);
}

#else

TEST_CASE("a cancel of the installed libpq without a connection is refused by libpq") {
  CHECK_FALSE(send(cancel_of(nullptr)));
}

#endif
