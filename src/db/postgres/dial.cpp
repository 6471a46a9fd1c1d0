#include "db/postgres/dial.hpp"

#include "db/postgres/drive.hpp"
#include "db/postgres/stop_bell.hpp"

#include <string_view>
#include <vector>

namespace scalekit::db::postgres {
namespace {

/// libpq's own words, which name host and port and never the password.
std::string message_of(const PGconn* conn) {
  std::string text(PQerrorMessage(conn));
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text.empty() ? "the connection failed" : text;
}

/// Of a failed login the SQLSTATE is not to be had; the need for a password is.
bool is_hopeless(const PGconn* conn, std::string_view message) {
  if (PQconnectionNeedsPassword(conn) != 0) return true;
  for (std::string_view words :
       {"password authentication failed", "no pg_hba.conf entry", "no password supplied",
        "does not exist", "SSL was required", "does not support SSL", "certificate verify failed",
        "is not permitted to log in", "authentication method"}) {
    // A unix socket that is not there "does not exist" either, but will once the server runs.
    if (message.find(words) != std::string_view::npos &&
        message.find("No such file") == std::string_view::npos) {
      return true;
    }
  }
  return false;
}

}  // namespace

dialed dial(const server_address& server, time_point until, const std::stop_token& stop) {
  std::vector<const char*> keywords, values;
  for (const auto& [keyword, value] : server.keywords) {
    keywords.push_back(keyword.c_str());
    values.push_back(value.c_str());
  }
  keywords.push_back(nullptr);
  values.push_back(nullptr);
  dialed out{connection_ptr(PQconnectStartParams(keywords.data(), values.data(), 0)), {}};
  auto* conn = out.connection.get();
  auto fail = [&out](std::string why, bool hopeless) {
    out.failure = std::move(why);
    out.hopeless = hopeless;
    out.connection.reset();
  };
  if (conn == nullptr) {
    fail("no memory for a connection", false);
    return out;
  }
  // libpq's own would print them.
  PQsetNoticeProcessor(
      conn, [](void*, const char*) {}, nullptr);
  const wake_descriptor woken;
  const stop_bell bell(woken, {&stop, nullptr, nullptr});
  auto next = PGRES_POLLING_WRITING;
  while (PQstatus(conn) != CONNECTION_BAD && next != PGRES_POLLING_OK &&
         next != PGRES_POLLING_FAILED) {
    const bool writing = next == PGRES_POLLING_WRITING;
    const auto why = wait_for(PQsocket(conn), writing, woken.get(), until);
    if (why == wait_end::deadline) {
      fail("no answer to the login in time", false);
      return out;
    }
    if (why == wait_end::stopped) {
      fail("the client was closed", false);
      out.given_up = true;
      return out;
    }
    next = PQconnectPoll(conn);
  }
  if (next != PGRES_POLLING_OK || PQstatus(conn) != CONNECTION_OK) {
    auto text = message_of(conn);
    const bool hopeless = is_hopeless(conn, text);
    fail(std::move(text), hopeless);
  }
  return out;
}

}  // namespace scalekit::db::postgres
