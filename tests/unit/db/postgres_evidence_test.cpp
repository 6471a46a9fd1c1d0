#include "db/postgres/evidence.hpp"
#include "db/postgres/second_chance.hpp"

#include <doctest/doctest.h>

#include <optional>
#include <string>

using namespace scalekit;
using namespace scalekit::db::postgres;
using call_kind = scalekit::db::detail::access;
using scalekit::db::detail::host_error;

namespace {

error failure(errc code, std::string state = {}, std::string said = {},
              std::string origin = "a:1") {
  return {make_error_code(code),
          {"it failed", std::move(said), std::move(state), std::move(origin)}};
}

}  // namespace

TEST_CASE("what a failed call says about its host") {
  struct {
    error e;
    call_kind kind;
    std::optional<host_error> wanted;
  } table[] = {
      {failure(errc::read_only, "25006"), call_kind::write, host_error::read_only},
      {failure(errc::read_only, "25006"), call_kind::read, std::nullopt},
      {failure(errc::connection_lost, "57P01"), call_kind::read, host_error::lost},
      {failure(errc::connection_lost, "57P02"), call_kind::read, host_error::shutting_down},
      {failure(errc::unavailable, "57P03"), call_kind::write, host_error::shutting_down},
      {failure(errc::connection_lost), call_kind::write, host_error::lost},
      {failure(errc::commit_in_doubt, "", "server closed the connection"), call_kind::write,
       host_error::lost},
      {failure(errc::commit_in_doubt), call_kind::write, std::nullopt},
      {failure(errc::acquire_timeout), call_kind::read, std::nullopt},
      {failure(errc::shed), call_kind::read, std::nullopt},
      {failure(errc::execution_timeout), call_kind::write, std::nullopt},
      {failure(errc::unavailable), call_kind::write, std::nullopt},
      {failure(errc::constraint_violation, "23505"), call_kind::write, std::nullopt},
  };

  for (const auto& row : table) {
    CAPTURE(std::string(row.e.what()));
    CHECK(evidence_of(row.e, row.kind) == row.wanted);
  }
}

TEST_CASE("what a failed attempt to connect says about a host") {
  struct {
    const char* state;
    const char* text;
    bool hopeless;
    std::optional<host_error> wanted;
  } table[] = {
      {"", "connection to server at \"a\", port 1 failed: Connection refused", false,
       host_error::refused},
      {"", "could not translate host name \"a\" to address", false, host_error::refused},
      {"", "no answer to the login in time", false, host_error::lost},
      {"57P03", "FATAL:  57P03: das Datenbanksystem startet", false, host_error::shutting_down},
      {"55000", "FATAL:  55000: database \"d\" is not currently accepting connections", false,
       host_error::shutting_down},
      {"28P01", "FATAL:  28P01: password authentication failed for user \"x\"", true, std::nullopt},
      {"53300", "FATAL:  53300: tut mir leid, schon zu viele Verbindungen", false, std::nullopt},
      {"08P01", "FATAL:  08P01: no more connections allowed (max_client_conn)", false,
       std::nullopt},
      {"08P01", "FATAL:  08P01: server login has been failing, try again later", false,
       host_error::lost},
  };

  for (const auto& row : table) {
    CAPTURE(std::string(row.text));
    dialed attempt;
    attempt.state = row.state;
    attempt.failure = row.text;
    attempt.hopeless = row.hopeless;
    CHECK(evidence_of(attempt) == row.wanted);
  }
}

TEST_CASE("a login that nobody was asked for says nothing about a host") {
  dialed attempt;
  attempt.failure = "no credentials to log in with: the vault is sealed";
  attempt.unasked = true;

  CHECK_FALSE(evidence_of(attempt));
}

TEST_CASE("a lost connection, a standby and a conflict give one more chance, a refusal three") {
  second_chance lost, misrouted, refused, conflicting;

  CHECK(lost.allows(failure(errc::connection_lost), call_kind::write, false));
  CHECK_FALSE(lost.allows(failure(errc::connection_lost), call_kind::write, false));
  CHECK(misrouted.allows(failure(errc::read_only, "25006"), call_kind::write, true));
  CHECK_FALSE(misrouted.allows(failure(errc::read_only, "25006"), call_kind::write, true));
  for (int i = 0; i < 3; ++i) {
    CHECK(refused.allows(failure(errc::unavailable), call_kind::write, true));
  }
  CHECK_FALSE(refused.allows(failure(errc::unavailable), call_kind::write, true));
  CHECK(conflicting.allows(failure(errc::conflict, "40001"), call_kind::read, false));
  CHECK_FALSE(conflicting.allows(failure(errc::conflict, "40P01"), call_kind::read, false));
}

TEST_CASE("what may have been executed, or would end the same, has no second chance") {
  second_chance chance;

  CHECK_FALSE(chance.allows(failure(errc::commit_in_doubt), call_kind::write, true));
  CHECK_FALSE(chance.allows(failure(errc::constraint_violation), call_kind::write, true));
  CHECK_FALSE(chance.allows(failure(errc::read_only, "25006"), call_kind::read, true));
  CHECK_FALSE(chance.allows(failure(errc::conflict, "40001"), call_kind::write, true));
  CHECK_FALSE(chance.allows(failure(errc::conflict, "55P03"), call_kind::read, true));
  CHECK_FALSE(chance.allows(failure(errc::acquire_timeout), call_kind::read, true));
  // With one host nothing else could take it, and the word of all hosts stands.
  CHECK_FALSE(chance.allows(failure(errc::unavailable), call_kind::read, false));
  CHECK_FALSE(chance.allows(failure(errc::unavailable, "", "", ""), call_kind::read, true));
}
