#include "redis/lane.hpp"
#include "redis/master_watch.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <utility>

// What a lane does where sentinels say which server it talks to.

namespace scalekit::redis::detail {

namespace asio = boost::asio;
using std::chrono::steady_clock;

void lane::find_master() {
  master_.reset();
  site_->master->find([self = shared_from_this(), n = dial_](const master_answer& said) {
    const auto strand = self->strand_;
    asio::post(strand, [kept = stake(self), n, said]() mutable {
      const auto back = kept.take();
      if (back->dial_ != n || back->state_ != state::dialing) return;
      back->on_master(said);
      back->pump();
    });
  });
}

void lane::on_master(const master_answer& said) {
  const auto& failure = said.failure;
  if (!said.where) return dial_failed(failure.why, failure.is_hopeless, failure.code);
  master_ = said;
  server_ = *said.where;
  resolve(server_);
}

/// The server has said that it is the master. False: more is known meanwhile.
bool lane::take_office() {
  const auto term = site_->master->confirm(*master_);
  if (term) master_->term = *term;
  return term.has_value();
}

void lane::retire(std::uint64_t term, const std::string& why, bool at_once) {
  asio::post(strand_, [kept = stake(shared_from_this()), term, why, at_once]() mutable {
    const auto self = kept.take();
    if (self->is_over_) return;
    if (self->wire_ && self->master_ && self->master_->term < term) self->outdated(why, at_once);
    // There is something new to be found.
    if (at_once && !self->wire_ && self->state_ != state::dialing) {
      self->next_dial_ = {};
      if (self->state_ == state::pausing) {
        ++self->dial_;
        self->dial_timer_.cancel();
        self->state_ = state::off;
      }
    }
    self->turn();
  });
}

void lane::outdated(const std::string& why, bool at_once) {
  if (state_ == state::ready && !at_once) {
    is_outdated_ = true;
  } else if (!flying_.empty()) {
    lose(why, blame::nobody);
  } else {
    // Nobody has to know; who is dialing begins anew.
    ++dial_;
    dial_timer_.cancel();
    drop_wire();
  }
}

/// It was refused without effect by who is no master any more, and goes to who is now. Its place is
/// behind those that were given back before, and in front of all that was not sent.
void lane::take_to_master(call_ptr c) {
  ++c->times_given_back;
  c->attempts = 0;
  c->to_come = {};
  c->since = steady_clock::now();
  site_->counted.repeated.add();
  plan(std::min(c->until, c->since + site_->params.acquire_timeout));
  is_outdated_ = true;
  queue_.insert(queue_.begin() + std::min(given_back_++, std::ssize(queue_)), std::move(c));
}

}  // namespace scalekit::redis::detail
