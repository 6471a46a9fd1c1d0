#include "redis/sentinel_line.hpp"

#include "redis/master_watch.hpp"
#include "scalekit/core/settings_text.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>

#include <exception>
#include <utility>

namespace scalekit::redis::detail {

namespace asio = boost::asio;

namespace {

/// Nothing that a sentinel says to us is longer.
constexpr std::size_t max_reply = std::size_t{64} << 10;

}  // namespace

sentinel_line::sentinel_line(std::shared_ptr<site> of, const asio::any_io_executor& loop, place to)
    : site_(std::move(of)), loop_(loop), to_(std::move(to)), timer_(loop) {}

void sentinel_line::start(std::string say, std::chrono::nanoseconds patience, listener tell) {
  say_ = std::move(say);
  tell_ = std::move(tell);
  timer_.expires_after(patience);
  timer_.async_wait([weak = weak_from_this(), patience](const boost::system::error_code& ec) {
    const auto self = weak.lock();
    if (ec || !self) return;
    self->end("no answer within " +
              format_duration(std::chrono::duration_cast<std::chrono::microseconds>(patience)));
  });
  resolve();
}

void sentinel_line::be_patient() {
  timer_.cancel();
}

void sentinel_line::resolve() {
  if (auto known = resolve_at_once(to_)) {
    candidates_ = std::move(*known);
    return connect_next();
  }
  try {
    site_->exec.post_work([of = site_, to = to_, weak = weak_from_this()] {
      // The loop may have gone meanwhile.
      of->master->post([weak, found = resolve_name(to)] {
        const auto self = weak.lock();
        if (!self || !self->tell_.on_end) return;
        self->candidates_ = found;
        self->connect_next();
      });
    });
  } catch (const std::exception& e) {
    end(std::string("its name was not resolved: ") + e.what());
  }
}

void sentinel_line::connect_next() {
  if (next_candidate_ == candidates_.endpoints.size()) return end(candidates_.failure);
  const auto& to = candidates_.endpoints[next_candidate_++];
  wire_ = std::make_shared<wire>(loop_, max_reply, site_->tls ? &*site_->tls : nullptr, to_.host);
  wire_->socket.async_connect(
      to, [self = shared_from_this(), w = wire_](const boost::system::error_code& ec) {
        if (self->wire_ != w) return;
        if (!ec) return self->log_in();
        self->candidates_.failure = ec.message();
        self->connect_next();
      });
}

void sentinel_line::log_in() {
  boost::system::error_code failed;
  wire_->configure(failed);
  if (failed) return end(failed.message());
  login_ = std::make_unique<login>(login::at_sentinel(site_->params));
  wire_->outbox() = login_->bytes();
  flush();
  read();
}

void sentinel_line::read() {
  if (!wire_) return;
  wire_->socket.async_read_some(asio::buffer(wire_->in),
                                [self = shared_from_this(), w = wire_](
                                    const boost::system::error_code& ec, std::size_t size) {
                                  if (self->wire_ == w) self->on_read(ec, size);
                                });
}

void sentinel_line::on_read(const boost::system::error_code& ec, std::size_t size) {
  if (ec == asio::error::eof) return end("it closed the connection");
  if (ec) return end("reading failed: " + ec.message());
  std::string why;
  const auto w = wire_;
  if (!w->take(size, why)) return end(why);
  if (w->unsent() > 0) flush();
  while (wire_ == w) {
    const auto next = w->reader.next();
    if (!next) break;
    take(*next);
  }
  if (wire_ != w) return;
  if (w->reader.failed() != reply_reader::failure::none) return end(w->reader.why());
  read();
}

void sentinel_line::take(const reply& next) {
  if (!login_) {
    // It may be closed in it.
    const auto tell = tell_.on_reply;
    return tell(next);
  }
  if (!login_->take(next)) return;
  if (const auto& refused = login_->refused()) return end(std::string(refused->text));
  login_.reset();
  wire_->outbox() += say_;
  flush();
}

/// What is said is so short that the system has room for it.
void sentinel_line::flush() {
  boost::system::error_code ec;
  std::size_t written = 0;
  const bool all = wire_->flush(ec, written);
  if (ec) return end("writing failed: " + ec.message());
  if (!all) end("it takes nothing");
}

void sentinel_line::end(const std::string& why) {
  const auto tell = std::move(tell_.on_end);
  close();
  if (tell) tell(why);
}

void sentinel_line::close() {
  tell_ = {};
  timer_.cancel();
  login_.reset();
  if (!wire_) return;
  boost::system::error_code ignored;
  wire_->socket.close(ignored);
  wire_.reset();
}

}  // namespace scalekit::redis::detail
