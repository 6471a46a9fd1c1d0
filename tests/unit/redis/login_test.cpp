#include "redis/login.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace scalekit::redis;
using detail::login;

namespace {

const reply ok{.kind = reply_kind::status, .text = "OK"};

reply refused(std::string said) {
  return {.kind = reply_kind::error, .text = std::move(said)};
}

}  // namespace

TEST_CASE("a login says who, which database, what we are called, and asks for a sign of life") {
  login l({.username = "app", .password = "secret", .database = 3, .client_name = "shop"});

  CHECK(l.bytes() ==
        "*3\r\n$4\r\nAUTH\r\n$3\r\napp\r\n$6\r\nsecret\r\n"
        "*2\r\n$6\r\nSELECT\r\n$1\r\n3\r\n"
        "*3\r\n$6\r\nCLIENT\r\n$7\r\nSETNAME\r\n$4\r\nshop\r\n"
        "*1\r\n$4\r\nPING\r\n");
  CHECK_FALSE(l.take(ok));
  CHECK_FALSE(l.take(ok));
  CHECK_FALSE(l.take(ok));
  CHECK(l.take({.kind = reply_kind::status, .text = "PONG"}));
  CHECK_FALSE(l.refused());
}

TEST_CASE("without any of them a login is a sign of life") {
  const login l({.client_name = ""});
  CHECK(l.bytes() == "*1\r\n$4\r\nPING\r\n");
}

TEST_CASE("where it matters a server says that it is a master, or is refused") {
  struct row {
    reply role;
    std::string refusal;
    bool is_hopeless;
  };
  const auto role = [](std::string name) {
    return reply{.kind = reply_kind::array,
                 .elements = {{.kind = reply_kind::text, .text = std::move(name)}}};
  };
  const row rows[] = {
      {role("master"), "", false},
      {role("slave"), "it is no master but a replica", false},
      {role("sentinel"), "it is no master but a sentinel", false},
      {role("king"), "it does not say that it is a master", false},
      {ok, "it does not say that it is a master", false},
      {refused("NOPERM no"), "it does not say whether it is a master (ROLE): NOPERM no", true},
      {refused("LOADING yet"), "it does not say whether it is a master (ROLE): LOADING yet", false},
  };
  for (const auto& row : rows) {
    login l({.client_name = ""}, detail::server_role::master);
    CHECK(l.bytes() == "*1\r\n$4\r\nROLE\r\n*1\r\n$4\r\nPING\r\n");
    CHECK_FALSE(l.take(row.role));
    CHECK(l.take(ok));
    CHECK(l.refused().has_value() == !row.refusal.empty());
    if (!l.refused()) continue;
    CHECK(l.refused()->text == row.refusal);
    CHECK(l.refused()->is_hopeless == row.is_hopeless);
  }
}

TEST_CASE("a replica that is to answer reads is told so, and may refuse") {
  login l({.client_name = ""}, detail::server_role::reading_replica);
  CHECK(l.bytes() == "*1\r\n$8\r\nREADONLY\r\n*1\r\n$4\r\nPING\r\n");
  CHECK_FALSE(l.take(refused("ERR This instance has cluster support disabled")));
  CHECK(l.take({.kind = reply_kind::status, .text = "PONG"}));
  REQUIRE(l.refused());
  CHECK(l.refused()->is_hopeless);
}

TEST_CASE("a wrong password is hopeless, a server that loads is not") {
  SUBCASE("wrong password") {
    login l({.password = "secret", .client_name = ""});
    CHECK_FALSE(l.take(refused("WRONGPASS invalid username-password pair or user is disabled.")));
    CHECK(l.take(refused("NOAUTH Authentication required.")));
    REQUIRE(l.refused());
    CHECK(l.refused()->is_hopeless);
    CHECK(l.refused()->text.starts_with("the login was refused: WRONGPASS"));
  }
  SUBCASE("no password where one is needed") {
    login l({.client_name = "x"});
    CHECK_FALSE(l.take(refused("NOAUTH Authentication required.")));
    CHECK(l.take(refused("NOAUTH Authentication required.")));
    REQUIRE(l.refused());
    CHECK(l.refused()->is_hopeless);
  }
  SUBCASE("loading") {
    login l({.client_name = ""});
    CHECK(l.take(refused("LOADING Redis is loading the dataset in memory")));
    REQUIRE(l.refused());
    CHECK_FALSE(l.refused()->is_hopeless);
  }
  SUBCASE("a name that it may not set") {
    login l({.client_name = "x"});
    CHECK_FALSE(l.take(refused("NOPERM this user has no permissions to run 'client|setname'")));
    CHECK(l.take(ok));
    CHECK_FALSE(l.refused());
  }
  SUBCASE("a database that is not there") {
    login l({.database = 99, .client_name = ""});
    CHECK_FALSE(l.take(refused("ERR DB index is out of range")));
    CHECK(l.take(ok));
    REQUIRE(l.refused());
    CHECK(l.refused()->text == "the database was refused: ERR DB index is out of range");
  }
}
