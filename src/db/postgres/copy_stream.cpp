#include "db/postgres/copy_stream.hpp"

#include "db/call_site.hpp"
#include "db/postgres/next_result.hpp"
#include "db/postgres/reply.hpp"

#include <charconv>
#include <utility>
#include <vector>

namespace scalekit::db::postgres {

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
  for (;;) {
    const int taken = PQputCopyData(conn_, data.data(), static_cast<int>(data.size()));
    if (taken > 0) return true;
    if (taken < 0) throw_lost(c_, conn_, site_);
    if (!wait(true)) return false;
  }
}

bool copy_stream::end(const char* why) {
  for (;;) {
    const int taken = PQputCopyEnd(conn_, why);
    if (taken > 0) return finish();
    if (taken < 0) throw_lost(c_, conn_, site_);
    if (!wait(true)) return false;
  }
}

std::string_view copy_stream::get() {
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

/// Until the socket takes more, or has more. False when it was interrupted.
bool copy_stream::wait(bool writing) {
  why_ = wait_for(PQsocket(conn_), writing, c_.bell.get(), until_);
  if (why_ != wait_end::ready) {
    abandon();
    return false;
  }
  if (PQconsumeInput(conn_) != 1) throw_lost(c_, conn_, site_);
  return true;
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
