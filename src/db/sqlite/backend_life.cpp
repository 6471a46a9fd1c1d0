#include "db/sqlite/backend.hpp"
#include "db/sqlite/transaction.hpp"

#include <chrono>
#include <utility>

// Beginning transactions, counting, closing.

namespace scalekit::db::sqlite {

using detail::access;
using detail::lease;
using std::chrono::steady_clock;

std::unique_ptr<detail::transaction_backend> sqlite_backend::begin(
    const transaction_options& options, const std::source_location& site) {
  check_thread("db::client::begin");
  if (closing_.load(std::memory_order_relaxed)) throw closed_error();
  auto call = frame_of(options, settings_.params.transaction_timeout);
  throw_if_stopped(options.stop, site);
  auto& group = group_for(options.read_only ? access::read : access::write);
  bool waited = false;
  auto lent = group.pool->take(request_for(site, call, true), options.stop, waited);
  return start_transaction(std::move(lent), call, options, {});
}

std::unique_ptr<detail::transaction_backend> sqlite_backend::start_transaction(
    lease lent, const call_frame& call, const transaction_options& options,
    std::stop_token also_stop) {
  auto& group = group_for(options.read_only ? access::read : access::write);
  auto& s = group.slots[lent.slot()];
  connect(group, s, call);
  return std::make_unique<sqlite_transaction>(shared_from_this(), std::move(lent), s, call.until,
                                              options, std::move(also_stop));
}

bool sqlite_backend::wait_until_idle(time_point until) {
  bool idle = writer_.pool->wait_until_idle(until);
  return (!readers_ || readers_->pool->wait_until_idle(until)) && idle;
}

void sqlite_backend::close(std::chrono::nanoseconds timeout) {
  check_thread("db::client::close");
  closing_ = true;
  wait_until_idle(deadline::after(timeout).when());
  stop_running_ = true;
  // Who still holds a connection closes it by giving it back. The others are nobody's now.
  auto close_all = [](slot_group& group) {
    group.pool->close([&group](std::size_t slot) { group.slots[slot].conn.reset(); });
  };
  close_all(writer_);
  if (readers_) close_all(*readers_);
}

client_statistics sqlite_backend::statistics() const {
  client_statistics out;
  auto add = [&out](const slot_group& group) {
    for (const auto& s : group.slots) {
      out.statements += s.statements.load(std::memory_order_relaxed);
      out.failed_statements += s.failed.load(std::memory_order_relaxed);
      out.transactions_committed += s.committed.load(std::memory_order_relaxed);
      out.transactions_rolled_back += s.rolled_back.load(std::memory_order_relaxed);
      out.statement_cache_hits += s.hits.load(std::memory_order_relaxed);
      out.statement_cache_misses += s.misses.load(std::memory_order_relaxed);
    }
  };
  add(writer_);
  out.shared_commits = shared_commits_.load(std::memory_order_relaxed);
  out.writes_in_shared_commits = writes_in_shared_commits_.load(std::memory_order_relaxed);
  out.groups_broken_up = groups_broken_up_.load(std::memory_order_relaxed);
  out.writer = writer_.pool->statistics();
  if (readers_) {
    add(*readers_);
    out.readers = readers_->pool->statistics();
  }
  return out;
}

}  // namespace scalekit::db::sqlite
