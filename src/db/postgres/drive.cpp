#include "db/postgres/drive.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <future>
#include <memory>
#include <poll.h>
#include <vector>

namespace scalekit::db::postgres {

using std::chrono::steady_clock;

wait_end wait_for(int socket, bool writing, int bell, time_point until) {
  std::array<pollfd, 2> watched{
      {{socket, static_cast<short>(writing ? POLLIN | POLLOUT : POLLIN), 0}, {bell, POLLIN, 0}}};
  for (;;) {
    const auto left = until - steady_clock::now();
    const auto ms = std::chrono::ceil<std::chrono::milliseconds>(
        std::clamp<steady_clock::duration>(left, {}, std::chrono::hours{1}));
    const int ready = ::poll(watched.data(), bell >= 0 ? 2 : 1, static_cast<int>(ms.count()));
    // The bell first: rows may come without a pause.
    if (ready > 0) return watched[1].revents != 0 ? wait_end::stopped : wait_end::ready;
    if (ready == 0 && steady_clock::now() >= until) return wait_end::deadline;
    // A signal; or, which poll(2) knows no better, a descriptor that is not one: read() will say.
    if (ready < 0 && errno != EINTR) return wait_end::ready;
  }
}

namespace {

constexpr std::chrono::milliseconds first_cancel_patience{50};
/// What still comes so long after a cancel takes longer to read than a new connection to make.
constexpr std::chrono::milliseconds rows_patience{500};

/// Reads until nothing is under way.
wait_end settle(link& l, int bell, time_point until) {
  std::vector<exchange_ptr> ended;
  auto flushed = l.flush();
  while (!l.is_quiet()) {
    if (!l.is_broken() && !l.is_held()) {
      const auto why = wait_for(l.socket(), !flushed, bell, until);
      if (why != wait_end::ready) return why;
    }
    l.read(ended);
    if (!flushed) flushed = l.flush();
    // A socket that always has something would never be found late.
    if (!l.is_quiet() && steady_clock::now() >= until) return wait_end::deadline;
  }
  return wait_end::ready;
}

}  // namespace

wait_end converse(connection& c, conversation& what, time_point until) {
  const int bell = c.bell.get();
  for (bool goes_on = true; goes_on;) {
    try {
      goes_on = what.advance(c);
    } catch (...) {
      // It may have sent something before it failed.
      settle(*c.wire, bell, until);
      throw;
    }
    // What a taker of rows throws leaves them under way.
    if (const auto why = settle(*c.wire, bell, until); why != wait_end::ready) return why;
  }
  return wait_end::ready;
}

wait_end resume(connection& c, conversation& what, time_point until) {
  const auto why = settle(*c.wire, -1, until);
  return why == wait_end::ready ? converse(c, what, until) : why;
}

bool is_alive(link& l) {
  std::vector<exchange_ptr> ended;
  if (wait_for(l.socket(), false, -1, {}) == wait_end::ready) l.read(ended);
  return !l.is_broken();
}

bool drain(link& l, time_point until) {
  return settle(l, -1, until) == wait_end::ready && !l.is_broken();
}

namespace {

/// Cancels what runs until nothing does. A cancel that overtakes its statement, in a pooler or
/// between two statements of a pipeline, hits nothing: so it is not sent once only.
bool cancel_all(link& l, cancel_sender& cancels, time_point until) {
  const auto enough = steady_clock::now() + rows_patience;
  auto patience = first_cancel_patience;
  while (!l.is_quiet()) {
    const auto sent = cancels.send(l.make_cancel());
    // Until the server has passed it on.
    if (sent.wait_until(until) != std::future_status::ready) return false;
    drain(l, std::min(until, steady_clock::now() + patience));
    const auto now = steady_clock::now();
    if (l.is_broken() || now >= until) return false;
    if (now >= enough && wait_for(l.socket(), false, -1, now) == wait_end::ready) return false;
    patience *= 2;
  }
  // The signal may reach a server that is already idle, which drops it with the next message.
  l.sync();
  return drain(l, until);
}

}  // namespace

bool recover(link& l, cancel_sender& cancels, time_point until) {
  if (l.is_broken()) return false;
  if (!l.is_quiet() && !cancel_all(l, cancels, until)) return false;
  if (l.transaction_status() == PQTRANS_IDLE) return true;
  auto undo = std::make_shared<exchange>();
  undo->text = "rollback";
  l.send(undo);
  l.sync();
  return drain(l, until) && l.transaction_status() == PQTRANS_IDLE;
}

}  // namespace scalekit::db::postgres
