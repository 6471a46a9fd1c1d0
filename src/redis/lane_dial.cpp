#include "redis/lane.hpp"
#include "scalekit/core/settings_text.hpp"

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/post.hpp>

#include <chrono>
#include <exception>
#include <utility>

// How a lane comes to its connection.

namespace scalekit::redis::detail {

namespace asio = boost::asio;
using std::chrono::steady_clock;

void lane::dial() {
  const auto now = steady_clock::now();
  if (now >= next_dial_) return begin_dial();
  state_ = state::pausing;
  dial_timer_.expires_at(next_dial_);
  dial_timer_.async_wait(
      [kept = stake(shared_from_this()), n = ++dial_](const boost::system::error_code& ec) mutable {
        const auto self = kept.take();
        if (ec || self->dial_ != n || self->state_ != state::pausing) return;
        self->begin_dial();
      });
}

void lane::begin_dial() {
  state_ = state::dialing;
  site_->counted.dials.add();
  dial_begun_ = steady_clock::now();
  const auto n = ++dial_;
  dial_timer_.expires_at(dial_begun_ + site_->params.connect_timeout);
  dial_timer_.async_wait(
      [kept = stake(shared_from_this()), n](const boost::system::error_code& ec) mutable {
        const auto self = kept.take();
        if (ec || self->dial_ != n) return;
        if (self->state_ != state::dialing && self->state_ != state::login) return;
        self->dial_failed(
            std::string(self->state_ == state::login ? "no answer to the login" : "not connected") +
                " within " + format_duration(self->site_->params.connect_timeout),
            false);
        self->turn();
      });
  site_->master ? find_master() : resolve(site_->where);
}

void lane::resolve(const place& where) {
  if (auto known = resolve_at_once(where)) return connect_to(std::move(*known));
  const auto n = dial_;
  const auto connect = [n](std::shared_ptr<lane> self, resolved found) {
    const auto strand = self->strand_;
    asio::post(strand, [self = std::move(self), n, found = std::move(found)]() mutable {
      if (self->dial_ != n || self->state_ != state::dialing) return;
      self->connect_to(std::move(found));
      self->pump();
    });
  };
  try {
    site_->exec.post_work([where, connect, back = way_back_, to = weak_from_this()] {
      auto found = resolve_name(where);
      back->take(to, [&](std::shared_ptr<lane> self) { connect(std::move(self), found); });
    });
  } catch (const std::exception& e) {
    connect(shared_from_this(), {{}, std::string("its name was not resolved: ") + e.what()});
  }
}

void lane::connect_to(resolved found) {
  candidates_ = std::move(found);
  next_candidate_ = 0;
  candidate_failure_ = candidates_.failure;
  connect_next();
}

void lane::connect_next() {
  if (next_candidate_ == candidates_.endpoints.size())
    return dial_failed(candidate_failure_, false);
  const auto& to = candidates_.endpoints[next_candidate_++];
  wire_ = std::make_shared<wire>(loop_, site_->params.max_reply_bytes,
                                 site_->tls ? &*site_->tls : nullptr, server_.host);
  wire_->socket.async_connect(
      to, asio::bind_executor(strand_, [kept = stake(shared_from_this()),
                                        w = wire_](const boost::system::error_code& ec) mutable {
        const auto self = kept.take();
        if (self->wire_ != w) return;
        self->on_connect(w, ec);
        self->pump();
      }));
}

void lane::on_connect(const wire_ptr& w, const boost::system::error_code& ec) {
  if (ec) {
    candidate_failure_ = ec.message();
    return connect_next();
  }
  boost::system::error_code failed;
  w->configure(failed);
  if (failed) return dial_failed(failed.message(), false);
  state_ = state::login;
  login_ = std::make_unique<login>(site_->params, site_->wanted());
  w->outbox() = login_->bytes();
  flush();
}

void lane::on_login(const wire_ptr& w) {
  while (auto answer = w->reader.next()) {
    if (!login_->take(*answer)) continue;
    if (const auto& refused = login_->refused()) {
      return dial_failed(refused->text, refused->is_hopeless);
    }
    return ready();
  }
  if (w->reader.failed() != reply_reader::failure::none) dial_failed(w->reader.why(), false);
}

void lane::ready() {
  if (master_ && !take_office()) {
    return dial_failed("meanwhile another master was announced", false);
  }
  state_ = state::ready;
  ++dial_;
  dial_timer_.cancel();
  login_.reset();
  failures_ = 0;
  outage_since_ = time_point::max();
  is_hopeless_ = false;
  last_failure_.clear();
  last_code_ = errc::unavailable;
  connected_.store(true, std::memory_order_relaxed);
  const auto took =
      std::chrono::duration_cast<std::chrono::microseconds>(last_heard_ - dial_begun_);
  site_->log(log_level::info, "redis.connected", "connected within " + format_duration(took),
             server_);
}

void lane::dial_failed(std::string why, bool is_hopeless, errc code) {
  const auto now = steady_clock::now();
  site_->counted.dial_failures.add();
  drop_wire();
  ++dial_;
  dial_timer_.cancel();
  ++failures_;
  const auto pause = backoff_delay(site_->params.reconnect, failures_, site_->random);
  next_dial_ = now + pause;
  if (outage_since_ == time_point::max()) outage_since_ = dial_begun_;
  is_hopeless_ = is_hopeless;
  last_failure_ = std::move(why);
  last_code_ = code;
  if (const auto said = std::exchange(master_, {})) {
    last_failure_ = said->says + ": " + last_failure_;
    site_->master->doubt(*said);
  }
  site_->log(log_level::warning, "redis.dial_failed",
             last_failure_ + "; next try in " +
                 format_duration(std::chrono::duration_cast<std::chrono::milliseconds>(pause)) +
                 " at the earliest",
             server_);
  if (!is_outage(now)) return;
  const auto before = condition();
  for (const auto& c : queue_) {
    if (!c->is_settled) settle(c, unreachable_error(fate_of(*c), before));
  }
  purge();
}

/// For so long that nobody waits for its end.
bool lane::is_outage(time_point now) const noexcept {
  if (outage_since_ == time_point::max()) return false;
  return is_hopeless_ || now - outage_since_ >= site_->params.acquire_timeout;
}

}  // namespace scalekit::redis::detail
