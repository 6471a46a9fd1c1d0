#include "testing/gate.hpp"

#include "scalekit/core/deadline.hpp"

#include <future>
#include <utility>

namespace scalekit::testing::detail {
namespace {

// Neither clocks nor stop tokens wake anybody.
constexpr std::chrono::milliseconds look_again{1};

}  // namespace

void gate::shut() {
  {
    std::lock_guard lock(mutex_);
    book_.remove_all();
    is_shut_ = true;
  }
  changed_.notify_all();
  if (watch_.joinable()) watch_.join();
}

std::shared_ptr<injected> gate::inject(fault what, const std::source_location& site) {
  std::lock_guard lock(mutex_);
  return book_.add(std::move(what), site);
}

std::size_t gate::met(const injected& f) const {
  std::lock_guard lock(mutex_);
  return f.met;
}

bool gate::wait_until_met(const injected& f, std::size_t calls,
                          std::chrono::nanoseconds timeout) const {
  std::unique_lock lock(mutex_);
  return changed_.wait_until(lock, deadline::after(timeout).when(), [&] { return f.met >= calls; });
}

void gate::release(injected& f) {
  {
    std::lock_guard lock(mutex_);
    f.let_go = f.met;
  }
  changed_.notify_all();
}

void gate::remove(injected& f) {
  {
    std::lock_guard lock(mutex_);
    book_.remove(f);
  }
  changed_.notify_all();
}

void gate::remove_all() {
  {
    std::lock_guard lock(mutex_);
    book_.remove_all();
  }
  changed_.notify_all();
}

std::vector<std::string> gate::left() const {
  std::lock_guard lock(mutex_);
  return book_.left();
}

std::vector<logged_call> gate::log() const {
  std::lock_guard lock(mutex_);
  return book_.log();
}

void gate::clear_log() {
  std::lock_guard lock(mutex_);
  book_.clear_log();
}

patience gate::patience_of(std::chrono::nanoseconds timeout, std::vector<std::stop_token> stops,
                           errc late, std::string place) const {
  return {deadline::after(timeout, clock_.now()).when(), deadline::after(timeout).when(),
          std::move(stops), late, std::move(place)};
}

void gate::async_pass(std::vector<logged_call> asked, patience limits, continuation then) {
  std::unique_lock lock(mutex_);
  auto met = book_.meet(std::move(asked));
  if (!met.by) {
    lock.unlock();
    return then(nullptr, nullptr);
  }
  const auto& what = met.by->what;
  held_call held{met, clock_.now() + what.delay, std::move(limits), std::move(then)};
  changed_.notify_all();
  if (what.hold || what.delay > what.delay.zero()) return hold(std::move(held));
  lock.unlock();
  resume(held, wait_end::over);
}

std::exception_ptr gate::pass(std::vector<logged_call> asked, patience limits) {
  auto passed = std::make_shared<std::promise<std::exception_ptr>>();
  auto afterwards = passed->get_future();
  async_pass(std::move(asked), std::move(limits),
             [passed](std::exception_ptr failure, std::exception_ptr after) {
               failure ? passed->set_exception(failure) : passed->set_value(after);
             });
  return afterwards.get();
}

void gate::hold(held_call held) {
  if (!watch_.joinable()) watch_ = std::thread([this] { keep_watch(); });
  held_.push_back(std::move(held));
}

void gate::keep_watch() {
  std::unique_lock lock(mutex_);
  while (!is_shut_ || !held_.empty()) {
    if (held_.empty()) {
      changed_.wait(lock);
    } else {
      changed_.wait_for(lock, look_again);
    }
    auto ended = take_ended();
    lock.unlock();
    for (const auto& [held, how] : ended) resume(held, how);
    ended.clear();
    lock.lock();
  }
}

std::vector<std::pair<held_call, wait_end>> gate::take_ended() {
  std::vector<std::pair<held_call, wait_end>> ended;
  const auto now = clock_.now();
  const auto really = std::chrono::steady_clock::now();
  for (auto held = held_.begin(); held != held_.end();) {
    const auto how = end_of(*held, now, really);
    if (how == wait_end::not_yet) {
      ++held;
      continue;
    }
    ended.emplace_back(std::move(*held), how);
    held = held_.erase(held);
  }
  return ended;
}

}  // namespace scalekit::testing::detail
