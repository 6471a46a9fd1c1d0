#include "redis/direct_pool.hpp"

#include "redis/as_eval.hpp"
#include "redis/resolve.hpp"
#include "redis/server_error.hpp"

#include <algorithm>
#include <chrono>
#include <future>
#include <utility>

namespace scalekit::redis::detail {

using std::chrono::steady_clock;
using end = blocking_line::end;

namespace {

/// A line that has been idle for longer is looked at before it is used.
constexpr std::chrono::milliseconds line_fresh_for{10};

/// What `step` returns, whose waits on `line` end when its call is to stop.
template <class Step>
end interruptible(const std::stop_token& stop, blocking_line& line, Step step) {
  if (!stop.stop_possible()) return step();
  const std::stop_callback watch(stop, [&line]() noexcept { line.interrupt(); });
  return step();
}

}  // namespace

direct_pool::direct_pool(std::shared_ptr<site> at) : site_(std::move(at)) {
  // So that a line can be given back whatever happens.
  idle_.reserve(site_->params.direct_connections);
}

class direct_pool::loan {
 public:
  loan(direct_pool& from, line_ptr line) noexcept : from_(from), line_(std::move(line)) {}
  ~loan() { from_.give_back(std::move(line_), is_sound); }
  loan(const loan&) = delete;
  loan& operator=(const loan&) = delete;

  blocking_line& operator*() const noexcept { return *line_; }

  bool is_sound = false;

 private:
  direct_pool& from_;
  line_ptr line_;
};

std::optional<reply> direct_pool::run(request& what, const blocking_frame& frame) {
  auto taken = take(frame.until, frame.stop);
  if (!taken) return std::nullopt;
  loan line(*this, std::move(taken));
  reply answer;
  answers to_come;
  const auto how = converse(*line, what, frame, to_come, answer);
  const bool is_stopped = frame.stop.stop_requested();
  if (how == end::done) {
    // One that was interrupted too late for its call is of no use to the next.
    line.is_sound = (*line).is_in_step() && !is_stopped;
    site_->counted.direct_calls.add();
    if (answer.kind != reply_kind::error) return answer;
    if (site_->master && is_demotion(to_come, answer)) {
      site_->master->suspect((*line).term);
      site_->counted.repeated.add();
      return std::nullopt;
    }
    site_->counted.refused.add();
    throw site_->count(refusal_of(to_come, what, answer, site_->name));
  }
  if (how == end::unsent && !is_stopped) return std::nullopt;
  site_->counted.lost.add();
  if (how == end::lost && frame.may_repeat && !is_stopped && site_->params.max_attempts > 1) {
    site_->counted.repeated.add();
    return std::nullopt;
  }
  end_badly(how, *line, what, frame);
}

end direct_pool::converse(blocking_line& line, request& what, const blocking_frame& frame,
                          answers& to_come, reply& answer) {
  return interruptible(frame.stop, line, [&] {
    const auto how = line.exchange(what, frame.until, to_come, answer);
    if (how != end::done || !is_unknown_script(what, answer)) return how;
    make_eval(what);
    site_->counted.scripts_sent.add();
    return line.exchange(what, frame.until, to_come, answer);
  });
}

void direct_pool::end_badly(end how, const blocking_line& line, const request& what,
                            const blocking_frame& frame) {
  const call_fate fate{what.name, site_->name, how != end::unsent, frame.may_repeat};
  if (frame.stop.stop_requested()) throw site_->count(cancelled_error(fate));
  const auto now = steady_clock::now();
  switch (how) {
    case end::late:
      throw site_->count(late_error(fate,
                                    {.is_connected = true,
                                     .in_flight = 1,
                                     .bytes = what.size(),
                                     .last_heard = line.last_heard},
                                    line.sent_at, now));
    case end::too_large:
      throw site_->count(too_large_reply(fate, line.why()));
    default:
      throw site_->count(
          lost_error(fate, is_outdated(line) ? "its server is the master no more" : line.why()));
  }
}

direct_pool::line_ptr direct_pool::take(time_point until, const std::stop_token& stop) {
  const auto now = steady_clock::now();
  std::vector<line_ptr> stale;
  {
    const std::lock_guard lock(mutex_);
    while (!idle_.empty()) {
      auto line = std::move(idle_.back());
      idle_.pop_back();
      if (is_outdated(*line) || (now - line->used > line_fresh_for && !line->is_quiet())) {
        stale.push_back(std::move(line));
        continue;
      }
      busy_.push_back(line.get());
      return line;
    }
    const auto most = site_->params.direct_connections;
    if (closed_ || busy_.size() + dialing_ >= most || now < next_dial_) return nullptr;
    ++dialing_;
  }
  return dial(until, stop);
}

direct_pool::line_ptr direct_pool::dial(time_point until, const std::stop_token& stop) {
  line_ptr line;
  try {
    const auto latest = std::min(until, steady_clock::now() + site_->params.connect_timeout);
    const auto said = site_->master ? find_master(latest) : std::nullopt;
    line = dial_any(said, latest, stop);
    if (!line && said && !stop.stop_requested()) site_->master->doubt(*said);
  } catch (...) {
    const std::lock_guard lock(mutex_);
    --dialing_;
    throw;
  }
  const bool gave_up = stop.stop_requested();
  const std::lock_guard lock(mutex_);
  --dialing_;
  if (line && !gave_up && !closed_) {
    failures_ = 0;
    busy_.push_back(line.get());
    return line;
  }
  if (!line && !gave_up) {
    // The lane finds out more, and says it.
    site_->counted.dial_failures.add();
    known_.clear();
    next_dial_ =
        steady_clock::now() + backoff_delay(site_->params.reconnect, ++failures_, site_->random);
  }
  return nullptr;
}

direct_pool::line_ptr direct_pool::dial_any(const std::optional<master_answer>& said,
                                            time_point until, const std::stop_token& stop) {
  if (site_->master && !said) return nullptr;
  const auto& server = said ? *said->where : site_->where;
  for (const auto& to : resolve(server, until)) {
    auto line = std::make_unique<blocking_line>(*site_);
    {
      const std::lock_guard lock(mutex_);
      if (closed_) return nullptr;
      dialing_lines_.push_back(line.get());
    }
    const auto how = interruptible(stop, *line, [&] { return line->open(server, to, until); });
    std::optional<std::uint64_t> term{0};
    if (said && how == end::done) term = site_->master->confirm(*said);
    const std::lock_guard lock(mutex_);
    std::erase(dialing_lines_, line.get());
    if (how != end::done || !term) continue;
    line->term = *term;
    if (!said) known_ = {to};
    return line;
  }
  return nullptr;
}

std::optional<master_answer> direct_pool::find_master(time_point until) {
  // It may outlive this call.
  auto answer = std::make_shared<std::promise<master_answer>>();
  auto waiting = answer->get_future();
  site_->master->find([answer](const master_answer& said) { answer->set_value(said); });
  if (waiting.wait_until(until) != std::future_status::ready) return std::nullopt;
  auto said = waiting.get();
  return said.where ? std::optional(std::move(said)) : std::nullopt;
}

std::vector<endpoint> direct_pool::resolve(const place& server, time_point until) {
  {
    const std::lock_guard lock(mutex_);
    if (!known_.empty()) return known_;
  }
  if (auto found = resolve_at_once(server)) return found->endpoints;
  // It may outlive this call.
  auto answer = std::make_shared<std::promise<resolved>>();
  auto waiting = answer->get_future();
  site_->exec.post_work(
      [server, answer = std::move(answer)] { answer->set_value(resolve_name(server)); });
  if (waiting.wait_until(until) != std::future_status::ready) return {};
  return waiting.get().endpoints;
}

void direct_pool::give_back(line_ptr line, bool is_sound) noexcept {
  line->used = line->last_heard;
  const std::lock_guard lock(mutex_);
  std::erase(busy_, line.get());
  // What ended one may have ended all of them: they are looked at before they are used again.
  if (!is_sound) {
    for (const auto& each : idle_) each->used = {};
  }
  if (is_sound && !closed_ && !is_outdated(*line)) idle_.push_back(std::move(line));
}

bool direct_pool::is_outdated(const blocking_line& line) const noexcept {
  return site_->master && line.term != site_->master->term();
}

void direct_pool::retire(std::uint64_t term, bool at_once) {
  const std::lock_guard lock(mutex_);
  std::erase_if(idle_, [term](const line_ptr& line) { return line->term < term; });
  if (!at_once) return;
  for (auto* line : busy_) {
    if (line->term < term) line->interrupt();
  }
  next_dial_ = {};
}

void direct_pool::close() {
  std::vector<line_ptr> idle;
  const std::lock_guard lock(mutex_);
  closed_ = true;
  idle.swap(idle_);
  for (auto* line : busy_) line->interrupt();
  for (auto* line : dialing_lines_) line->interrupt();
}

std::size_t direct_pool::open() const {
  const std::lock_guard lock(mutex_);
  return idle_.size() + busy_.size();
}

std::size_t direct_pool::busy() const {
  const std::lock_guard lock(mutex_);
  return busy_.size();
}

}  // namespace scalekit::redis::detail
