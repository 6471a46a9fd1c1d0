#include "db/postgres/dial.hpp"
#include "db/postgres/drive.hpp"
#include "db/postgres/host_pool.hpp"
#include "db/postgres/pooler.hpp"
#include "db/postgres/server_log.hpp"

#include <chrono>
#include <future>
#include <memory>
#include <utility>

// What a pool does with connections that nobody has: it blocks, on threads of the pool's own.

namespace scalekit::db::postgres {

using detail::pool_actions;
using detail::slot_id;
using std::chrono::steady_clock;

void host_pool::dial_in(slot_id slot, time_point until) {
  workers_.post([weak = weak_from_this(), slot, until] {
    auto self = weak.lock();
    if (!self) return;
    auto got = dial(self->server_, until, self->stop_dials_.get_token());
    if (got.connection) self->look_for_pooler(got, until);
    if (!got.connection) {
      if (!self->is_closing()) {
        log_of_server(self->params_.log, log_level::warning, "db.pool.dial_failed", got.failure,
                      self->server_.where);
      }
      if (self->on_dial_failed_) self->on_dial_failed_(got);
      self->report([&](pool_actions& out) {
        self->core_.dial_failed(slot, std::move(got.failure), got.hopeless, steady_clock::now(),
                                out);
      });
      return;
    }
    std::unique_ptr<connection> made;
    try {
      const auto statements = *self->is_pooled() ? 0 : self->params_.statement_cache;
      made =
          std::make_unique<connection>(std::move(got.connection), self->server_.name, statements);
    } catch (const std::exception& e) {
      self->report([&](pool_actions& out) {
        self->core_.dial_failed(slot, e.what(), false, steady_clock::now(), out);
      });
      return;
    }
    self->report([&](pool_actions& out) {
      self->slots_[slot] = std::move(made);
      self->core_.dial_succeeded(slot, steady_clock::now(), out);
    });
  });
}

void host_pool::look_for_pooler(dialed& made, time_point until) {
  if (is_pooled().has_value()) return;
  const auto found = ask_for_pooler(made, until, stop_dials_.get_token());
  if (!found) return;
  // Dials that began together have all asked.
  const auto before = pooled_.exchange(found);
  if (!*found || before.has_value()) return;
  log_of_server(
      params_.log, log_level::warning, "db.host.pooler_found",
      "a pooler stands before " + server_.name +
          ": nothing is left in a session, nothing prepared and no connection shared. Say "
          "transaction_pooler=true if that is right, false if it is in session mode",
      server_.where);
}

void host_pool::check_in(slot_id slot, time_point until) {
  menders_.post([weak = weak_from_this(), slot, until] {
    auto self = weak.lock();
    if (!self) return;
    auto& c = *self->slots_[slot];
    c.wire->sync();
    const bool alive = drain(*c.wire, until);
    self->report(
        [&](pool_actions& out) { self->core_.checked(slot, alive, steady_clock::now(), out); });
  });
}

void host_pool::reset_in(slot_id slot, time_point until) {
  menders_.post([weak = weak_from_this(), slot, until] {
    auto self = weak.lock();
    if (!self) return;
    auto& c = *self->slots_[slot];
    // A cancel that is still on its way would hit whoever comes next.
    const bool cancelled =
        !c.cancels.valid() || c.cancels.wait_until(until) == std::future_status::ready;
    c.cancels = {};
    const bool in_order = cancelled && recover(*c.wire, self->cancels_, until) && !c.spent;
    // The setting that was under way may have been made or not.
    c.read_only.reset();
    c.bell.silence();
    self->report([&](pool_actions& out) {
      self->core_.reset_done(slot, in_order, steady_clock::now(), out);
    });
  });
}

}  // namespace scalekit::db::postgres
