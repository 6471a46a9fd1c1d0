#include "db/postgres/dial.hpp"

#include "db/postgres/drive.hpp"
#include "db/postgres/login_refusal.hpp"
#include "db/postgres/stop_bell.hpp"
#include "scalekit/core/error.hpp"

#include <algorithm>
#include <chrono>
#include <exception>
#include <locale.h>
#include <string>
#include <string_view>
#include <utility>

namespace scalekit::db::postgres {
namespace {

/// libpq and the C library speak the language of the thread, and what they say of a login is looked
/// at: here they speak English, in whatever language the host does.
class english_words {
 public:
  english_words() noexcept : english_(::newlocale(LC_ALL_MASK, "C", nullptr)) {
    if (english_ != nullptr) before_ = ::uselocale(english_);
  }
  ~english_words() {
    if (english_ == nullptr) return;
    ::uselocale(before_);
    ::freelocale(english_);
  }
  english_words(const english_words&) = delete;
  english_words& operator=(const english_words&) = delete;

 private:
  locale_t english_;
  locale_t before_ = nullptr;
};

bool is_hopeless(const PGconn* conn, const login_refusal& refused) {
  if (PQconnectionNeedsPassword(conn) != 0 || is_hopeless_login(refused.state)) return true;
  // What libpq finds out by itself, and poolers, which have one SQLSTATE for most and English only.
  for (std::string_view words :
       {"password authentication failed", "does not exist", "SSL was required",
        "does not support SSL", "certificate verify failed", "authentication method"}) {
    // A unix socket that is not there "does not exist" either, but will once the server runs.
    if (refused.text.find(words) != std::string::npos &&
        refused.text.find("No such file") == std::string::npos) {
      return true;
    }
  }
  return false;
}

/// Throws what the source of the credentials throws.
keyword_list login_of(const server_address& server) {
  auto keywords = server.keywords;
  if (!server.credentials) return keywords;
  auto given = server.credentials(server.name);
  if ((given.user + given.password).find('\0') != std::string::npos) {
    throw error(errc::invalid_argument, "a NUL in the user or the password");
  }
  keywords.emplace_back("user", std::move(given.user));
  keywords.emplace_back("password", std::move(given.password));
  return keywords;
}

dialed begin(const server_address& server) {
  dialed out;
  try {
    const auto login = login_of(server);
    const english_words spoken;
    out.connection = start_connection(login);
    if (!out.connection) out.failure = "no memory for a connection";
  } catch (const std::exception& e) {
    out.failure = std::string("no credentials to log in with: ") + e.what();
  } catch (...) {
    out.failure = "no credentials to log in with: what their source threw is unknown";
  }
  out.unasked = !out.connection;
  return out;
}

}  // namespace

dialed dial(const server_address& server, time_point until, const std::stop_token& stop) {
  auto out = begin(server);
  if (out.unasked) return out;
  const english_words spoken;
  auto* conn = out.connection.get();
  auto fail = [&out](std::string why, bool hopeless) {
    out.failure = std::move(why);
    out.hopeless = hopeless;
    out.connection.reset();
  };
  PQsetErrorVerbosity(conn, PQERRORS_VERBOSE);
  // libpq's own would print them.
  PQsetNoticeProcessor(
      conn, [](void*, const char*) {}, nullptr);
  const wake_descriptor woken;
  const stop_bell bell(woken, {&stop, nullptr, nullptr});
  // With it libpq would keep who waits with it from waiting longer.
  const auto own = server.connect_timeout
                       ? std::chrono::steady_clock::now() + *server.connect_timeout
                       : time_point::max();
  auto next = PGRES_POLLING_WRITING;
  while (PQstatus(conn) != CONNECTION_BAD && next != PGRES_POLLING_OK &&
         next != PGRES_POLLING_FAILED) {
    const bool writing = next == PGRES_POLLING_WRITING;
    const auto why = wait_for(PQsocket(conn), writing, woken.get(), std::min(own, until));
    if (why == wait_end::deadline) {
      fail(own < until ? "no answer to the login within connect_timeout, " +
                             std::to_string(server.connect_timeout->count()) + " s"
                       : "no answer to the login in time",
           false);
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
    auto refused = refusal_in(error_text(conn));
    if (refused.text.empty()) refused.text = "the connection failed";
    out.state = refused.state;
    fail(refused.text, is_hopeless(conn, refused));
    return out;
  }
  PQsetErrorVerbosity(conn, PQERRORS_DEFAULT);
  return out;
}

}  // namespace scalekit::db::postgres
