#include "db/postgres/copy_stream.hpp"

#include "db/call_site.hpp"
#include "db/postgres/next_result.hpp"
#include "db/postgres/reply.hpp"

#include <charconv>
#include <chrono>
#include <utility>
#include <vector>

namespace scalekit::db::postgres {

using std::chrono::steady_clock;

namespace {

/// What libpq may hold back, so that small pieces go out together.
constexpr std::size_t most_unsent = std::size_t{64} << 10;
/// libpq counts what it takes at once in an int, and the server has a limit for it too.
constexpr std::size_t most_at_once = std::size_t{1} << 20;
/// The clock is looked at for each piece, the bell, which costs a system call, only so often.
constexpr std::chrono::milliseconds look_every{10};

}  // namespace

bool copy_stream::begin(const std::string& text, ExecStatusType expected) {
  if (PQsendQuery(conn_, text.c_str()) != 1) throw_lost(c_, conn_, site_);
  auto answer = take_result();
  if (!answer) return false;
  const auto status = PQresultStatus(answer.get());
  if (status == expected) return true;
  if (status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH) {
    abandon();
    throw error(errc::not_allowed, detail::describe(site_) + ": COPY in the other direction");
  }
  if (status == PGRES_FATAL_ERROR) fail(std::move(answer));
  finish();
  return false;
}

bool copy_stream::put(std::string_view data) {
  while (!data.empty()) {
    if (!goes_on()) return false;
    const auto part = data.substr(0, most_at_once);
    data.remove_prefix(part.size());
    if (PQputCopyData(conn_, part.data(), static_cast<int>(part.size())) != 1) {
      throw_lost(c_, conn_, site_);
    }
    unsent_ += part.size();
    if (unsent_ < most_unsent) continue;
    unsent_ = 0;
    if (!flush()) return false;
  }
  return true;
}

bool copy_stream::end(const char* why) {
  if (PQputCopyEnd(conn_, why) != 1) throw_lost(c_, conn_, site_);
  return finish();
}

std::string_view copy_stream::get() {
  if (!goes_on()) return {};
  for (;;) {
    char* at = nullptr;
    const int size = PQgetCopyData(conn_, &at, 1);
    piece_.reset(at);
    if (size > 0) return {at, static_cast<std::size_t>(size)};
    if (size == 0) {
      if (!wait(false)) return {};
      continue;
    }
    // The end, or an error, which is the next result.
    finish();
    return {};
  }
}

void copy_stream::abandon() {
  std::vector<exchange_ptr> none;
  c_.wire->break_off("the copy was stopped", none);
}

void copy_stream::throw_if_failed() const {
  if (failed_.result) throw error_of(failed_, site_, c_.wire->origin(), false);
}

/// Whether nothing has interrupted it. Waiting alone would not tell where there is always something
/// to send or to take.
bool copy_stream::goes_on() {
  const auto now = steady_clock::now();
  if (now >= until_) {
    why_ = wait_end::deadline;
  } else if (now >= next_look_) {
    next_look_ = now + look_every;
    if (wait_for(-1, false, c_.bell.get(), {}) == wait_end::stopped) why_ = wait_end::stopped;
  }
  if (why_ != wait_end::ready) abandon();
  return why_ == wait_end::ready;
}

/// Until the socket takes more, or has more. False when it was interrupted.
bool copy_stream::wait(bool writing) {
  why_ = wait_for(PQsocket(conn_), writing, c_.bell.get(), until_);
  if (why_ == wait_end::ready && PQconsumeInput(conn_) != 1) throw_lost(c_, conn_, site_);
  return goes_on();
}

/// Until nothing waits to be sent: libpq does not say that the socket is full, it lets its buffer
/// grow. False when it was interrupted.
bool copy_stream::flush() {
  for (;;) {
    const int left = PQflush(conn_);
    if (left < 0) throw_lost(c_, conn_, site_);
    if (left == 0) return true;
    if (!wait(true)) return false;
  }
}

/// Null at the end, and when it was interrupted.
result_ptr copy_stream::take_result() {
  auto [why, lost, result] = next_result(conn_, c_.bell.get(), until_);
  if (lost) throw_lost(c_, conn_, site_);
  why_ = why;
  if (why_ != wait_end::ready) abandon();
  return std::move(result);
}

bool copy_stream::finish() {
  while (auto r = take_result()) {
    if (PQresultStatus(r.get()) == PGRES_COMMAND_OK) {
      const std::string_view rows = PQcmdTuples(r.get());
      std::from_chars(rows.data(), rows.data() + rows.size(), copied_);
    } else if (!failed_.result) {
      fail(std::move(r));
    }
  }
  return why_ == wait_end::ready;
}

void copy_stream::fail(result_ptr answer) {
  failed_.end = exchange::ending::failed;
  failed_.result = std::move(answer);
}

}  // namespace scalekit::db::postgres
