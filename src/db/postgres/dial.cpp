#include "db/postgres/dial.hpp"

#include "db/postgres/drive.hpp"
#include "db/postgres/login_refusal.hpp"
#include "db/postgres/stop_bell.hpp"
#include "scalekit/core/error.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <exception>
#include <locale.h>
#include <netdb.h>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

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
        "does not support SSL", "channel binding required", "certificate verify failed",
        "authentication method"}) {
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

/// Up to when, and what ends it.
struct dial_limits {
  time_point until;
  /// By the server's connect_timeout.
  time_point own;
  const std::stop_token& stop;

  time_point end() const { return std::min(own, until); }
};

std::string in_time(const server_address& server, const dial_limits& limits) {
  if (limits.own >= limits.until) return "in time";
  return "within connect_timeout, " + std::to_string(server.connect_timeout->count()) + " s";
}

void give_up(dialed& out) {
  out.failure = "the client was closed";
  out.given_up = true;
}

using address_list = std::span<const std::string>;

/// Of a server that is known by its name, else none. Nothing: `out` says why it has none.
std::optional<std::vector<std::string>> addresses_of(const server_address& server,
                                                     const dial_limits& limits, dialed& out) {
  if (!server.lookup) return std::vector<std::string>{};
  const english_words spoken;
  auto found = server.lookup->find(limits.end(), limits.stop);
  if (found && found->why_none == 0) return std::move(found->addresses);
  if (found) {
    // As libpq says it.
    out.failure = "could not translate host name \"" + server.lookup->name() +
                  "\" to address: " + ::gai_strerror(found->why_none);
  } else if (limits.stop.stop_requested()) {
    give_up(out);
  } else {
    out.failure = "the resolver does not say " + in_time(server, limits) + " where \"" +
                  server.lookup->name() + "\" is";
    out.unasked = true;
  }
  return std::nullopt;
}

/// Each address is a host of that name: what libpq would find by itself, but waiting for as long as
/// the resolver likes.
void add_addresses(keyword_list& to, const std::string& name, address_list addresses) {
  std::string names, numbers;
  for (const auto& each : addresses) {
    names += (names.empty() ? "" : ",") + name;
    numbers += (numbers.empty() ? "" : ",") + each;
  }
  to.emplace_back("host", names);
  to.emplace_back("hostaddr", numbers);
}

/// How many of `addresses` libpq has come past when it is given up with the one it is at. None: it
/// is at the last.
std::size_t behind(const PGconn* conn, address_list addresses) {
  const char* at = PQhostaddr(conn);
  const auto found = std::ranges::find(addresses, at == nullptr ? "" : at);
  // It may write one in another way.
  const auto past =
      found == addresses.end() ? 1 : static_cast<std::size_t>(found - addresses.begin()) + 1;
  return past < addresses.size() ? past : 0;
}

/// By one connection of libpq's, which goes on to the next address where one refuses, but waits for
/// one that does not answer. `skipped`: so many of the addresses had their share of the time, and
/// those behind them are to be tried.
dialed connect_to(const server_address& server, keyword_list login, address_list addresses,
                  const dial_limits& limits, std::size_t& skipped) {
  dialed out;
  const english_words spoken;
  if (!addresses.empty()) add_addresses(login, server.lookup->name(), addresses);
  out.connection = start_connection(login);
  if (!out.connection) {
    out.failure = "no memory for a connection";
    out.unasked = true;
    return out;
  }
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
  const stop_bell bell(woken, {&limits.stop, nullptr, nullptr});
  const auto now = std::chrono::steady_clock::now();
  auto end = limits.end();
  if (addresses.size() > 1) end = now + (end - now) / static_cast<int>(addresses.size());
  auto next = PGRES_POLLING_WRITING;
  while (PQstatus(conn) != CONNECTION_BAD && next != PGRES_POLLING_OK &&
         next != PGRES_POLLING_FAILED) {
    const bool writing = next == PGRES_POLLING_WRITING;
    const auto why = wait_for(PQsocket(conn), writing, woken.get(), end);
    if (why == wait_end::deadline && end < limits.end()) {
      skipped = behind(conn, addresses);
      end = limits.end();
      if (skipped == 0) continue;
    }
    if (why == wait_end::deadline) {
      fail("no answer to the login " + in_time(server, limits), false);
      return out;
    }
    if (why == wait_end::stopped) {
      out.connection.reset();
      give_up(out);
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

dialed connect(const server_address& server, const keyword_list& login, const dial_limits& limits) {
  dialed out;
  const auto addresses = addresses_of(server, limits, out);
  if (!addresses) return out;
  for (address_list left(*addresses);;) {
    std::size_t skipped = 0;
    out = connect_to(server, login, left, limits, skipped);
    if (skipped == 0) return out;
    left = left.subspan(skipped);
  }
}

/// No server was asked.
dialed failed_before(std::string why) {
  dialed out;
  out.failure = std::move(why);
  out.unasked = true;
  return out;
}

}  // namespace

dialed dial(const server_address& server, time_point until, const std::stop_token& stop) {
  keyword_list login;
  try {
    login = login_of(server);
  } catch (const std::exception& e) {
    return failed_before(std::string("no credentials to log in with: ") + e.what());
  } catch (...) {
    return failed_before("no credentials to log in with: what their source threw is unknown");
  }
  try {
    // With it libpq would keep who waits with it from waiting longer.
    const auto own = server.connect_timeout
                         ? std::chrono::steady_clock::now() + *server.connect_timeout
                         : time_point::max();
    return connect(server, login, {until, own, stop});
  } catch (const std::exception& e) {
    // There is no thread, descriptor or memory left to do it with.
    return failed_before(std::string("not connected: ") + e.what());
  }
}

}  // namespace scalekit::db::postgres
