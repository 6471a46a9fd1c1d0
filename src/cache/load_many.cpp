#include "cache/completing.hpp"
#include "cache/copying_port.hpp"
#include "cache/engine.hpp"
#include "cache/validate.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <list>
#include <semaphore>
#include <string>
#include <utility>

// get_or_load() for several keys with one loader.

namespace scalekit::cache {

using detail::hashed_key;
using detail::load_outcome;
using detail::load_request;
using detail::raw_lookup;
using load_handle = std::shared_ptr<detail::flight>;

namespace {

/// Waits for what was started and calls back. Shared with that: it may come too late.
class countdown {
 public:
  void done() { ended_.release(); }
  void wait(std::size_t started, time_point until) {
    while (started > 0 && ended_.try_acquire_until(until)) --started;
  }

 private:
  std::counting_semaphore<> ended_{0};
};

/// What the shared tier says to a claim.
struct claim_answer {
  detail::copying_port copy;
  detail::shared_claim claim;
  std::optional<raw_lookup> found;
  std::atomic<bool> has_come{false};
};

deadline later(const deadline& a, const deadline& b) {
  return a.when() > b.when() ? a : b;
}

const detail::raw_loader no_loader;

}  // namespace

/// One call of it. The loads that it leads end before it waits for those of others, so that two
/// calls which each want what the other loads do not wait for each other.
class store::state::batch_load {
 public:
  batch_load(state& self, const policy& how, const detail::raw_batch_loader& loader,
             const deadline& until)
      : self_(self), how_(how), loader_(loader), until_(until) {}

  /// Whoever waits for a load that was not ended hears why.
  ~batch_load() {
    const error gone(errc::cancelled, "the call that loaded this key has failed");
    for (auto& each : led_) {
      if (each.load && !each.load->is_over()) end(each, {nullptr, std::make_exception_ptr(gone)});
    }
    for (std::size_t i = next_to_wait_; i < joined_.size(); ++i) joined_[i].load->leave();
  }
  batch_load(const batch_load&) = delete;
  batch_load& operator=(const batch_load&) = delete;

  /// `missing`: what is not in memory.
  void run(std::vector<detail::tiers::wanted> missing) {
    look(missing);
    for (const auto& each : missing) self_.refuse_own_key(each.key.text);
    joined_.reserve(missing.size());
    for (const auto& each : missing) board(each);
    claim();
    count();
    lead();
    if (failure_) std::rethrow_exception(failure_);
    patience_ = later(until_, deadline::after(std::chrono::seconds(1)));
    for (auto& each : joined_) {
      ++next_to_wait_;
      *each.found = self_.wait(each.load, request(each));
    }
  }

 private:
  struct seat {
    hashed_key key;
    detail::value_port* port;
    raw_lookup* found;
    load_handle load;
    load_outcome outcome = {};
  };

  load_request request(const seat& s) const {
    return {s.key, how_, no_loader, false, until_, *s.port, !patience_.expired()};
  }

  /// Takes out what is below memory, or stale and to be served as such.
  void look(std::vector<detail::tiers::wanted>& rest) {
    auto& tiers = self_.table;
    if (tiers.may_block()) tiers.find_many_below(rest, until_);
    std::erase_if(rest, [&](const detail::tiers::wanted& w) {
      if (w.found->freshness != freshness::miss) return true;
      if (how_.stale_for.count() == 0) return false;
      const auto kept = tiers.find_kept_in_memory(w.key, *w.port);
      if (!kept || !self_.answers({w.key, how_, no_loader, false, until_, *w.port}, *kept)) {
        return false;
      }
      *w.found = *kept;
      return true;
    });
  }

  void board(const detail::tiers::wanted& w) {
    const auto at = self_.table.place_of(w.key);
    // A place for it first: a load that was begun must be ended.
    auto& own = led_.emplace_back(seat{w.key, w.port, w.found, {}});
    auto [load, is_leader] = self_.flights.join_or_begin(
        w.key.text, w.key.hash, self_.table.token_of(at), detail::limit_of(how_));
    own.load = std::move(load);
    if (!is_leader) {
      joined_.push_back(std::move(own));
      led_.pop_back();
      return;
    }
    if (settle(own, self_.look_again(own.load, request(own), at))) led_.pop_back();
  }

  void claim() {
    if (!self_.table.has_shared()) return;
    if (is_pipelined()) return claim_together();
    led_.remove_if([&](seat& s) { return settle(s, self_.claim(s.load, request(s))); });
  }

  /// Answers come on the host's loop. Without one, refusals would come on the work executor, whose
  /// threads may all be waiting here.
  bool is_pipelined() const {
    return self_.table.is_asynchronous() && self_.execution.io_executor();
  }

  /// What was started is heard of by then, if the loop is not held up.
  time_point end_of_wait() const {
    const auto most = deadline::after(2 * self_.table.shared_timeout());
    return earlier(until_, most).when() + std::chrono::seconds(1);
  }

  void claim_together() {
    const auto ended = std::make_shared<countdown>();
    std::vector<std::shared_ptr<claim_answer>> answers;
    for (const auto& each : led_) {
      const auto answer = answers.emplace_back(std::make_shared<claim_answer>());
      self_.table.start_find_or_claim(
          std::string(each.key.text), {answer, &answer->copy}, answer->claim, until_,
          [self = self_.shared_from_this(), ended, answer](std::optional<raw_lookup> found) {
            answer->found = found;
            answer->has_come = true;
            ended->done();
          });
    }
    ended->wait(led_.size(), end_of_wait());
    auto next = answers.begin();
    led_.remove_if([&](seat& s) {
      auto& answer = **next++;
      s.load->claim.begun = answer.claim.begun;
      if (!answer.has_come) return false;
      s.load->claim = std::move(answer.claim);
      if (!answer.found) return false;
      return settle(
          s, self_.end_with(s.load, s.key, *answer.found, std::move(answer.copy.bytes), *s.port));
    });
  }

  static bool settle(seat& s, const std::optional<raw_lookup>& found) {
    if (found) *s.found = *found;
    return found.has_value();
  }

  void count() {
    for (std::size_t i = 0; i < led_.size() + joined_.size(); ++i) self_.count_miss(how_.type);
    for (std::size_t i = 0; i < joined_.size(); ++i) self_.coalesced.add();
  }

  /// Runs the loader, keeps what it gave, and ends the loads.
  void lead() {
    if (led_.empty()) return;
    auto& type = self_.table.types()[self_.table.types().number(how_.type)];
    const auto& limit = led_.front().load->limit();
    const load_context context(led_.front().load->stop_token(),
                               limit ? earlier(until_, *limit) : until_);
    try {
      for (const auto& each : led_) {
        if (limit) self_.set_alarm(each.load, each.key, how_);
      }
      take(load(context));
      for (std::size_t i = 0; i < led_.size(); ++i) type.loads.add();
      keep(context);
    } catch (...) {
      failure_ = std::current_exception();
      type.load_failures.add();
    }
    for (auto& each : led_) {
      if (limit) self_.alarms.drop(each.load.get());
      if (failure_) self_.note_failure(each.key, how_, each.load, failure_);
      end(each, failure_ ? load_outcome{nullptr, failure_} : each.outcome);
    }
    // For all of them together, or each would wait anew.
    patience_ = deadline::after(std::chrono::seconds(1));
    const auto why = std::exchange(failure_, nullptr);
    for (auto& each : led_) conclude(each, why);
  }

  std::vector<std::optional<std::string>> load(const load_context& context) {
    std::vector<std::string> keys;
    std::vector<std::string_view> texts;
    std::list<detail::loading_mark> marks;
    for (const auto& each : led_) {
      keys.emplace_back(each.key.text);
      texts.push_back(each.key.text);
      // The newest in front, to go first: each knows the one before.
      marks.emplace_front(&self_, each.key.text);
    }
    auto loaded = run_loader(context, keys, texts);
    if (loaded.size() == keys.size()) return loaded;
    throw error(errc::invalid_argument, "a loader returned " + std::to_string(loaded.size()) +
                                            " values for " + std::to_string(keys.size()) + " keys");
  }

  std::vector<std::optional<std::string>> run_loader(const load_context& context,
                                                     std::span<const std::string> keys,
                                                     std::span<const std::string_view> texts) {
    const detail::load_meter meter(self_.costs, texts);
    return loader_(context, keys);
  }

  void take(std::vector<std::optional<std::string>> loaded) {
    auto next = loaded.begin();
    for (auto& each : led_) {
      if (auto& bytes = *next++) {
        each.outcome.bytes = std::make_shared<const std::string>(*std::move(bytes));
        self_.loads.add();
      } else {
        self_.absent.add();
      }
    }
  }

  void keep(const load_context& context) {
    auto& tiers = self_.table;
    if (!is_pipelined()) {
      for (auto& each : led_) {
        self_.keep(each.load, each.key, how_, each.outcome, context, until_);
      }
      return;
    }
    auto ended = std::make_shared<countdown>();
    std::size_t started = 0;
    for (auto& each : led_) {
      const auto how = self_.to_keep(each.load, each.key, how_, each.outcome, context);
      if (!how) continue;
      ++started;
      tiers.start_fill(std::string(each.key.text), each.outcome.bytes, *how, each.load->begun(),
                       each.load->claim, until_,
                       [self = self_.shared_from_this(), ended] { ended->done(); });
    }
    ended->wait(started, end_of_wait());
  }

  void end(seat& s, const load_outcome& outcome) { self_.finish(s.load, s.key, outcome); }

  /// How a load ended may have been told before its loader did: by its alarm, or close().
  void conclude(seat& s, const std::exception_ptr& why) {
    try {
      const auto* ended = s.load->wait(deadline::after({}));
      *s.found = self_.conclude(ended ? *ended : load_outcome{nullptr, why}, request(s));
    } catch (...) {
      if (!failure_) failure_ = std::current_exception();
    }
  }

  state& self_;
  const policy& how_;
  const detail::raw_batch_loader& loader_;
  const deadline until_;
  /// For what is stale below memory.
  deadline patience_ = deadline::after(deadline::max_timeout);
  /// Not moved while others write to them.
  std::list<seat> led_;
  std::vector<seat> joined_;
  std::size_t next_to_wait_ = 0;
  std::exception_ptr failure_;
};

void store::read_or_load_many(detail::raw_batch& batch, const policy& how,
                              const call_options& options, const detail::raw_batch_loader& loader) {
  auto& self = *state_;
  self.enter_many("cache::store::get_or_load_many", batch.keys, options);
  io_thread_mark::check_blocking_allowed("cache::store::get_or_load_many");
  detail::validate(how);
  auto missing = self.read_in_memory(batch);
  if (missing.empty()) return;
  state::batch_load(self, how, loader, deadline::after(options.timeout)).run(std::move(missing));
}

void store::start_read_or_load_many(std::shared_ptr<detail::raw_batch> batch, const policy& how,
                                    call_options options, detail::raw_batch_loader loader,
                                    completion_handler<done> handler) {
  auto self = state_->shared_from_this();
  self->born.check("cache::store::async_get_or_load_many");
  const auto until = deadline::after(options.timeout);
  std::vector<detail::tiers::wanted> missing;
  try {
    self->enter_many("cache::store::async_get_or_load_many", batch->keys, options);
    detail::validate(how);
    missing = self->read_in_memory(*batch);
    if (missing.empty()) {
      return detail::complete_at_once<done>(std::move(handler), self->execution, nullptr, {});
    }
  } catch (...) {
    return detail::complete_at_once<done>(std::move(handler), self->execution,
                                          std::current_exception(), {});
  }
  auto call = detail::async_call<done>::start(std::move(handler), self->execution, until, {});
  // The type's name may be gone before the loader ends.
  auto kept = std::make_shared<std::pair<policy, std::string>>(how, how.type);
  kept->first.type = kept->second;
  // What is missing points into the batch.
  detail::post_work(self->execution, call, [self, call, batch, missing, kept, loader, until] {
    if (call->is_over()) return;
    call->complete_with([&] {
      state::batch_load(*self, kept->first, loader, until).run(missing);
      return done{};
    });
  });
}

}  // namespace scalekit::cache
