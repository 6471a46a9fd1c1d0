#include "cache/async_call.hpp"
#include "cache/copying_port.hpp"
#include "cache/engine.hpp"

#include <boost/asio/post.hpp>

#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace scalekit::cache {

using detail::load_outcome;
using detail::owned_load;
using detail::raw_lookup;
using detail::stale_cause;

/// An asynchronous get_or_load() that was not answered at once. Several things may answer it: the
/// load, what a file holds, and what is stale when it takes too long. Each tries with a port of its
/// own; the first to finish the call hands its own over.
struct store::state::async_load : std::enable_shared_from_this<async_load> {
  using read_call = detail::async_call<raw_lookup>;
  using call_handle = std::shared_ptr<read_call>;

  async_load(std::shared_ptr<state> s, std::shared_ptr<const owned_load> w,
             std::shared_ptr<detail::value_port> p)
      : self(std::move(s)),
        what(std::move(w)),
        port(std::move(p)),
        key(self->table.hashed(what->key)) {}

  bool may_be_stale() const noexcept { return what->how.stale_for.count() > 0; }

  /// On the work executor: looks into the files, and loads or waits for who does.
  void run(const call_handle& call) {
    if (call->has_given_up()) return;
    auto own = port->another();
    boarding boarded;
    try {
      boarded = self->board({key, what->how, what->loader, true, what->until, *own});
    } catch (...) {
      call->finish_with([&]() -> raw_lookup { throw; });
      return;
    }
    if (boarded.found) {
      call->finish_with([&] {
        port->adopt(*own);
        return *boarded.found;
      });
      return;
    }
    wait_for(call, boarded.seat.load);
    if (boarded.seat.is_leader) {
      self->lead(boarded.seat.load, key, what->how, what->loader, what->until);
    }
  }

  /// The same without a thread until the loader runs. One who leads a load asks the shared tier in
  /// its name: all who come meanwhile wait for that one question.
  void run_without_thread(const call_handle& call) {
    const auto at = self->table.place_of(key);
    const auto seat = self->flights.join_or_begin(key.text, key.hash, self->table.token_of(at),
                                                  detail::limit_of(what->how));
    const auto load = seat.load;
    if (!seat.is_leader) {
      self->count_miss(what->how.type);
      self->coalesced.add();
      return wait_for(call, load);
    }
    if (answer_instead(call, load, [&](detail::value_port& own) {
          return self->look_again(load, {key, what->how, what->loader, true, what->until, own}, at);
        })) {
      return;
    }
    auto copy = std::make_shared<detail::copying_port>();
    self->table.start_find_or_claim(
        what->key, copy, load->claim, what->until,
        [me = shared_from_this(), call, load, copy](std::optional<raw_lookup> found) {
          me->take_claim(call, load, found, std::move(copy->bytes));
        });
  }

  void take_claim(const call_handle& call, const std::shared_ptr<detail::flight>& load,
                  const std::optional<raw_lookup>& found, std::string bytes) {
    if (found && answer_instead(call, load, [&](detail::value_port& own) {
          return self->end_with(load, key, *found, std::move(bytes), own);
        })) {
      return;
    }
    self->count_miss(what->how.type);
    wait_for(call, load);
    if (!load->stop_token().stop_requested()) return self->lead_aside(load, what);
    const error gone(errc::cancelled, "nobody waits for this load any more");
    self->finish(load, key, {nullptr, std::make_exception_ptr(gone)});
  }

  /// Completes the call, and the load that it leads, with what `look(port)` found, or threw. False:
  /// it found nothing.
  template <class Look>
  bool answer_instead(const call_handle& call, const std::shared_ptr<detail::flight>& load,
                      Look look) {
    auto own = port->another();
    std::optional<raw_lookup> found;
    try {
      found = look(*own);
    } catch (...) {
      self->finish(load, key, {nullptr, std::current_exception()});
      call->finish_with([&]() -> raw_lookup { throw; });
      return true;
    }
    if (!found) return false;
    call->finish_with([&] {
      port->adopt(*own);
      return *found;
    });
    return true;
  }

  void wait_for(const call_handle& call, const std::shared_ptr<detail::flight>& load) {
    call->board(load);
    load->on_end([me = shared_from_this(), call](const load_outcome& outcome) {
      me->conclude(call, outcome);
    });
  }

  void conclude(const call_handle& call, const load_outcome& outcome) {
    if (!outcome.failure) {
      call->finish_with([&] { return self->receive(outcome, *port); });
      return;
    }
    const auto why = outcome.failure;
    if (serve_kept(*call, stale_cause::failed, why, false)) return;
    auto fail = [call, why] {
      call->finish_with([&]() -> raw_lookup { std::rethrow_exception(why); });
    };
    const bool ask_files = may_be_stale() && self->table.may_block() && !self->closed;
    if (!ask_files || !post([me = shared_from_this(), call, why, fail] {
          if (!me->serve_kept(*call, stale_cause::failed, why, true)) fail();
        })) {
      fail();
    }
  }

  void run_out_of_patience(read_call& call) {
    if (serve_kept(call, stale_cause::slow, {}, false) || !self->table.may_block()) return;
    post([me = shared_from_this(), call = call.shared_from_this()] {
      me->serve_kept(*call, stale_cause::slow, {}, true);
    });
  }

  /// False: nothing is kept that would do.
  bool serve_kept(read_call& call, stale_cause cause, const std::exception_ptr& why,
                  bool may_block) {
    auto own = port->another();
    const auto found = self->fall_back(key, what->how, *own, may_block);
    if (!found) return false;
    call.finish_with([&] {
      self->count_fall_back(what->how, *found, cause);
      port->adopt(*own);
      if (found->freshness == freshness::stale) port->error = why;
      return *found;
    });
    return true;
  }

  /// False: the work executor is full.
  template <class Task>
  bool post(Task task) {
    try {
      self->execution.post_work(std::move(task));
      return true;
    } catch (...) {
      return false;
    }
  }

  const std::shared_ptr<state> self;
  const std::shared_ptr<const owned_load> what;
  const std::shared_ptr<detail::value_port> port;
  const detail::hashed_key key;
};

void store::state::start_load(std::shared_ptr<const owned_load> what,
                              std::shared_ptr<detail::value_port> port,
                              completion_handler<raw_lookup> handler) {
  auto self = shared_from_this();
  const auto& how = what->how;
  auto one = std::make_shared<async_load>(self, what, std::move(port));
  const bool may_be_stale = one->may_be_stale();
  async_load::read_call::last_resort at_deadline;
  if (may_be_stale) {
    at_deadline = [one](auto& call) { one->serve_kept(call, stale_cause::slow, {}, false); };
  }
  auto call = async_load::read_call::start(
      std::move(handler), execution, what->until, [self] { self->abandoned.add(); }, at_deadline);
  if (may_be_stale && how.soft_timeout.count() > 0) {
    call->remind(how.soft_timeout, [one](auto& late) { one->run_out_of_patience(late); });
  }
  if (!may_be_stale || !table.may_block()) {
    if (auto load = join(one->key, how.type)) return one->wait_for(call, load);
  }
  if (table.is_asynchronous() && !may_be_stale) {
    // Posted: it must not complete in its initiating function.
    boost::asio::post(execution.completion_executor(),
                      [one, call] { one->run_without_thread(call); });
    return;
  }
  try {
    execution.post_work([one, call] { one->run(call); });
  } catch (...) {
    count_miss(how.type);
    boost::asio::post(execution.completion_executor(),
                      [one, call, shed = std::current_exception()] {
                        one->conclude(call, {nullptr, shed});
                      });
  }
}

}  // namespace scalekit::cache
