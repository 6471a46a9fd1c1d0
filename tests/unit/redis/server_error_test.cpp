#include "redis/server_error.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

using namespace scalekit;
using namespace scalekit::redis;

namespace {

reply refused(std::string said) {
  return {.kind = reply_kind::error, .text = std::move(said)};
}

}  // namespace

TEST_CASE("what a server refuses is known by its first word") {
  struct row {
    std::string said;
    errc means;
    std::string code;
  };
  const std::vector<row> rows{
      {"READONLY You can't write against a read only replica.", errc::read_only, "READONLY"},
      {"OOM command not allowed when used memory > 'maxmemory'.", errc::disk_full, "OOM"},
      {"NOPERM this user has no permissions", errc::not_allowed, "NOPERM"},
      {"LOADING Redis is loading the dataset in memory", errc::unavailable, "LOADING"},
      {"WRONGTYPE Operation against a key", errc::invalid_argument, "WRONGTYPE"},
      {"MOVED 3999 127.0.0.1:6381", errc::not_supported, "MOVED"},
      {"BUSYGROUP Consumer Group name already exists", errc::constraint_violation, "BUSYGROUP"},
      {"ERR value is not an integer or out of range", errc::invalid_statement, "ERR"},
      {"something odd", errc::invalid_statement, ""},
      {"", errc::invalid_statement, ""},
  };
  for (const auto& row : rows) {
    INFO(row.said);
    const auto e = redis::detail::server_error(refused(row.said), "GET", "host:1");
    CHECK(e.code() == row.means);
    CHECK(e.diag().backend_code == row.code);
    CHECK(e.diag().origin == "host:1");
    CHECK(e.diag().client_message.starts_with("GET was refused"));
  }
}

TEST_CASE("what the server quotes of a command is not passed on") {
  const auto e = redis::detail::server_error(
      refused("ERR unknown command 'FOO', with args beginning with: 'secret'"), "FOO", {});
  CHECK(std::string(e.what()).find("secret") == std::string::npos);
}

TEST_CASE("a server that is no master any more has not run what it refuses, and says so") {
  using redis::detail::answers;
  using redis::detail::is_demotion;
  CHECK(is_demotion({}, refused("READONLY You can't write against a read only replica.")));
  CHECK(is_demotion({}, refused("UNBLOCKED force unblock from blocking operation, instance state "
                                "changed (master -> replica?)")));
  CHECK_FALSE(is_demotion({}, refused("UNBLOCKED client unblocked via CLIENT UNBLOCK")));
  CHECK_FALSE(is_demotion({}, refused("MISCONF Redis is configured to save RDB snapshots")));

  const auto exec_abort = refused("EXECABORT Transaction discarded because of previous errors.");
  answers transaction{.refused = std::make_unique<reply>(refused("READONLY no"))};
  CHECK(is_demotion(transaction, exec_abort));
  transaction.is_untied = true;
  CHECK_FALSE(is_demotion(transaction, exec_abort));
}
