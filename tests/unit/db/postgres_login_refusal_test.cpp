#include "db/postgres/login_refusal.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace scalekit::db::postgres;

TEST_CASE("the SQLSTATE of a refused login, in any language") {
  const std::string at = "connection to server at \"10.0.0.1\", port 5432 failed: ";
  struct {
    std::string text;
    const char* wanted;
  } table[] = {
      {at + "FATAL:  28P01: password authentication failed for user \"x\"", "28P01"},
      {at + "VAZHNO:  53300: izvinite", "53300"},
      {at + "FATAL:  XX000: cache lookup failed", "XX000"},
      // The attempt that was last.
      {at + "FATAL:  28000: no pg_hba.conf entry, SSL on\n" + at + "FATAL:  3D000: no database",
       "3D000"},
      {at + "FATAL:  28P01: wrong\n" + at + "Connection refused", "28P01"},
      // None, or something like it.
      {at + "Connection refused\n\tIs the server running on that host?", ""},
      {"FATAL:  ERROR: no code", ""},
      {"FATAL:  28P01", ""},
      {"FATAL:  28P0", ""},
      {"FATAL:  ", ""},
      {"", ""},
  };

  for (const auto& row : table) {
    CAPTURE(row.text);
    const auto got = refusal_in(row.text);
    CHECK(got.state == row.wanted);
    CHECK(got.text == row.text);
  }
}

TEST_CASE("where in its source a server refused is left out") {
  const auto got = refusal_in(
      "FATAL:  28000: role \"x\" does not exist\nLOCATION:  InitializeSessionUserId, "
      "miscinit.c:746\nHINT:  ask somebody");

  CHECK(got.text == "FATAL:  28000: role \"x\" does not exist\nHINT:  ask somebody");
}

TEST_CASE("what is refused again the next time") {
  for (const char* same : {"22023", "28000", "28P01", "3D000", "42501", "42704"}) {
    CHECK(is_hopeless_login(same));
  }
  for (const char* other : {"", "08P01", "53300", "55000", "57P03", "XX000"}) {
    CHECK_FALSE(is_hopeless_login(other));
  }
}
