#include "redis/blocking_line.hpp"

#include "redis/server_error.hpp"

#include <cerrno>
#include <chrono>
#include <system_error>
#include <utility>

namespace scalekit::redis::detail {

using std::chrono::steady_clock;

blocking_line::blocking_line(site& at) : site_(at), reader_(at.params.max_reply_bytes) {}

blocking_line::end blocking_line::fail(int error, end otherwise) {
  if (error == ETIMEDOUT) {
    why_ = "no answer in time";
    return end::late;
  }
  why_ = std::generic_category().message(error);
  return otherwise;
}

blocking_line::end blocking_line::open(const place& where, const endpoint& to, time_point until) {
  return open(where, to, until, login(site_.params, site_.wanted()));
}

blocking_line::end blocking_line::open(const place& where, const endpoint& to, time_point until,
                                       login hello) {
  site_.counted.dials.add();
  if (const int e = socket_.connect(to, until); e != 0) return fail(e, end::lost);
  if (site_.tls) tls_ = std::make_unique<tls_session>(*site_.tls, where.host);
  if (const auto how = send(hello.bytes(), until); how != end::done) return how;
  for (bool is_last = false; !is_last;) {
    reply next;
    if (const auto how = receive(next, until); how != end::done) return how;
    is_last = hello.take(next);
  }
  if (const auto& refused = hello.refused()) {
    why_ = refused->text;
    return end::lost;
  }
  used = steady_clock::now();
  return end::done;
}

blocking_line::end blocking_line::exchange(const request& what, time_point until, answers& to_come,
                                           reply& answer) {
  to_come = {.awaited = what.replies};
  sent_at = steady_clock::now();
  if (const auto how = send(what.wire(), until); how != end::done) return how;
  for (;;) {
    reply next;
    if (const auto how = receive(next, until); how != end::done) return how;
    if (auto last = take_answer(to_come, what, std::move(next))) {
      answer = std::move(*last);
      return end::done;
    }
  }
}

blocking_line::end blocking_line::send(std::string_view bytes, time_point until) {
  if (tls_) {
    tls_->put(bytes);
    bytes = tls_->outbox();
  }
  if (const int e = socket_.send(bytes, until); e != 0) return fail(e, end::unsent);
  if (tls_) tls_->outbox().clear();
  site_.counted.sent.add(bytes.size());
  return end::done;
}

blocking_line::end blocking_line::receive(reply& next, time_point until) {
  for (;;) {
    if (auto whole = reader_.next()) {
      next = std::move(*whole);
      return end::done;
    }
    using failure = reply_reader::failure;
    if (reader_.failed() != failure::none) {
      why_ = reader_.why();
      return reader_.failed() == failure::too_large ? end::too_large : end::lost;
    }
    std::size_t size = 0;
    if (const int e = socket_.receive(in_.data(), in_.size(), until, size); e != 0) {
      return fail(e, end::lost);
    }
    if (size == 0) {
      why_ = "the server closed the connection";
      return end::lost;
    }
    last_heard = steady_clock::now();
    site_.counted.received.add(size);
    if (!take(size, until)) return end::lost;
  }
}

bool blocking_line::take(std::size_t size, time_point until) {
  const std::string_view came(in_.data(), size);
  if (!tls_) {
    reader_.give(came);
    return true;
  }
  plain_.clear();
  const bool goes_on = tls_->take(came, plain_);
  reader_.give(plain_);
  // The handshake has something to say too.
  if (!tls_->outbox().empty() && send({}, until) != end::done) return false;
  // What came before the end counts; the next read finds the end again.
  if (goes_on || !plain_.empty()) return true;
  why_ = tls_->why();
  return false;
}

}  // namespace scalekit::redis::detail
