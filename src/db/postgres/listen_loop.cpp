#include "db/postgres/listen_loop.hpp"

#include "db/bulk_text.hpp"
#include "db/postgres/dial.hpp"
#include "db/postgres/drive.hpp"
#include "db/postgres/next_result.hpp"
#include "db/postgres/pooler.hpp"
#include "db/postgres/server_log.hpp"
#include "scalekit/core/deadline.hpp"
#include "scalekit/core/error.hpp"

#include <chrono>
#include <memory>
#include <utility>

namespace scalekit::db::postgres {

using std::chrono::steady_clock;

namespace {

/// A connection that ends sooner counts as a failure: it is not made anew at once.
constexpr std::chrono::seconds worth_calling_alive{5};

struct stopped {};

[[noreturn]] void fail(const PGconn* conn) {
  const auto why = error_text(conn);
  throw error(errc::connection_lost, why.empty() ? "the connection was lost" : why);
}

}  // namespace

listen_loop::listen_loop(settings s, listener_params params)
    : settings_(std::move(s)), params_(std::move(params)) {}

void listen_loop::stop() noexcept {
  stopping_.request_stop();
  bell_.ring();
}

void listen_loop::run() {
  for (std::uint64_t failures = 0; !is_stopping();) {
    const auto begun = steady_clock::now();
    const bool listened = session();
    listening_ = false;
    if (listened && steady_clock::now() - begun > worth_calling_alive) failures = 0;
    if (!listened) host_ = (host_ + 1) % settings_.servers.size();
    const auto pause = backoff_delay(params_.reconnect, ++failures, random_);
    if (!is_stopping()) wait_for(-1, false, bell_.get(), steady_clock::now() + pause);
  }
}

bool listen_loop::session() {
  const auto& server = settings_.servers[host_];
  bool listened = false;
  try {
    const auto patience = deadline::after(settings_.params.pool.create_timeout);
    auto got = dial(server, patience.when(), stopping_.get_token());
    const bool is_found = got.connection && !settings_.params.transaction_pooler.has_value() &&
                          ask_for_pooler(got, patience.when(), stopping_.get_token()) == true;
    if (!got.connection) throw error(errc::unavailable, got.failure);
    if (is_found) {
      // In transaction mode it would take LISTEN, and never pass anything on.
      throw error(
          errc::not_supported,
          "a pooler stands before the server: give the listener the server's own address, or "
          "say transaction_pooler=false when the pooler is in session mode");
    }
    auto* conn = got.connection.get();
    if (PQsetnonblocking(conn, 1) != 0) fail(conn);
    std::string text;
    for (const auto& channel : params_.channels) {
      text += "listen " + detail::quoted_column(channel) + ";";
    }
    ask(conn, text);
    listened = true;
    listening_ = true;
    log_of_server(params_.log, log_level::info, "db.listener.connected", "listens", server.where);
    if (params_.on_resync) guarded(params_.on_resync);
    listen(conn);
  } catch (const stopped&) {
  } catch (const std::exception& e) {
    if (!is_stopping()) {
      log_of_server(params_.log, log_level::warning, "db.listener.lost", e.what(), server.where);
    }
  }
  return listened;
}

void listen_loop::ask(PGconn* conn, const std::string& text) {
  const auto until = deadline::after(params_.check_interval).when();
  if (PQsendQuery(conn, text.c_str()) != 1) fail(conn);
  for (;;) {
    const auto [why, lost, result] = next_result(conn, bell_.get(), until);
    if (why == wait_end::stopped) throw stopped{};
    if (why == wait_end::deadline) {
      throw error(errc::connection_lost, "the server does not answer any more");
    }
    if (lost) fail(conn);
    if (!result) return;
    if (PQresultStatus(result.get()) == PGRES_FATAL_ERROR) fail(conn);
  }
}

void listen_loop::listen(PGconn* conn) {
  for (;;) {
    deliver(conn);
    if (is_stopping()) return;
    const auto next = steady_clock::now() + params_.check_interval;
    switch (wait_for(PQsocket(conn), false, bell_.get(), next)) {
      case wait_end::stopped:
        return;
      case wait_end::deadline:
        ask(conn, "select 1");
        deliver(conn);
        if (params_.on_check && !is_stopping()) guarded(params_.on_check);
        break;
      case wait_end::ready:
        if (PQconsumeInput(conn) != 1) fail(conn);
        break;
    }
  }
}

void listen_loop::deliver(PGconn* conn) {
  struct freed {
    void operator()(PGnotify* n) const noexcept { PQfreemem(n); }
  };
  while (!is_stopping()) {
    const std::unique_ptr<PGnotify, freed> said(PQnotifies(conn));
    if (!said) return;
    const notification heard{said->relname, said->extra, said->be_pid};
    guarded([&] { params_.on_notification(heard); });
  }
}

template <class Callback>
void listen_loop::guarded(Callback callback) noexcept {
  try {
    callback();
  } catch (const std::exception& e) {
    params_.log(log_level::error, "db.listener.callback_threw", e.what());
  } catch (...) {
    params_.log(log_level::error, "db.listener.callback_threw", "what a callback threw is unknown");
  }
}

}  // namespace scalekit::db::postgres
