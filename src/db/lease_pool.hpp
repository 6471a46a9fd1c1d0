#pragma once

#include "db/lease_queue.hpp"
#include "scalekit/core/clock.hpp"
#include "scalekit/core/execution.hpp"

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <source_location>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace scalekit::db::detail {

class lease_pool;

/// A slot on loan; gives it back when it dies. The pool must outlive it.
class lease {
 public:
  lease() = default;
  lease(lease_pool& pool, std::size_t slot) noexcept : pool_(&pool), slot_(slot) {}
  lease(lease&& other) noexcept : pool_(std::exchange(other.pool_, nullptr)), slot_(other.slot_) {}
  lease& operator=(lease&& other) noexcept {
    std::swap(pool_, other.pool_);
    std::swap(slot_, other.slot_);
    return *this;
  }
  ~lease() { give_back(); }

  explicit operator bool() const noexcept { return pool_ != nullptr; }
  std::size_t slot() const noexcept { return slot_; }
  void give_back() noexcept;

  /// Forgets the slot without giving it back. False when it had none.
  bool disown() noexcept { return std::exchange(pool_, nullptr) != nullptr; }

 private:
  lease_pool* pool_ = nullptr;
  std::size_t slot_ = 0;
};

/// What somebody wants a slot for, when whoever holds one can do it for him (see companions).
struct errand {
  bool done = false;
};

/// Who asks for a slot and how long it may take; also what others are told about the holder.
struct lease_request {
  std::source_location site;
  time_point begun;
  /// When waiting ends: the earlier of acquire_timeout and the call's own deadline.
  time_point until;
  /// True for what holds its slot across calls: a transaction.
  bool transaction = false;
  /// Null: wants the slot itself. Else it must live as long as the wait.
  errand* want = nullptr;
};

/// The threads and timers around a lease_queue.
///
/// Thread safety: every member may be called from any thread.
class lease_pool : public std::enable_shared_from_this<lease_pool> {
 public:
  /// `name` is for error texts: "a reader of /srv/shop.db".
  lease_pool(std::string name, std::size_t slots, std::size_t max_waiting, execution exec);

  /// Blocks until there is a slot. `waited` tells whether it had to. Returns none when a holder has
  /// done the errand. Throws acquire_timeout, shed, cancelled or closed.
  lease take(const lease_request& request, const std::stop_token& stop, bool& waited);

  /// Calls `then` once: with a slot, or with none when a holder has done the errand, on a thread of
  /// the pool's own; with an error, on the completion executor.
  /// Never from inside this function. No thread waits meanwhile.
  using granted = std::function<void(std::exception_ptr, lease)>;
  void async_take(const lease_request& request, std::stop_token stop, std::stop_token also_stop,
                  granted then);

  /// Those who wait get errc::closed, and so does everybody from now on. `retire` is called once
  /// for each slot, when nobody holds it any more: before this returns, or by who gives the slot
  /// back. It must not throw. A second call does nothing.
  void close(std::function<void(std::size_t)> retire);

  /// True once nothing is lent and nobody waits; false at `until`.
  bool wait_until_idle(time_point until);

  pool_statistics statistics() const;

 private:
  friend class lease;
  friend class companions;
  struct waiter;
  struct blocking_waiter;
  struct async_waiter;

  struct holder {
    std::source_location site;
    time_point since;
    std::thread::id transaction_thread;
  };

  void give_back(std::size_t slot) noexcept;
  void hold(std::size_t slot, const lease_request& request, time_point since);
  void hold_on_this_thread(std::size_t slot, const lease_request& request);
  bool start_runner(const std::shared_ptr<async_waiter>& w, std::size_t slot) noexcept;
  void fail(const std::shared_ptr<async_waiter>& w, std::exception_ptr e) noexcept;
  void leave(const std::shared_ptr<async_waiter>& w, lease_queue::leave why);
  void tell_served(const std::shared_ptr<async_waiter>& w) noexcept;
  void wait_in_time(const std::shared_ptr<async_waiter>& w);
  errand* adopt(lease_queue::party& p, bool (*admits)(void*, const errand&), void* context);
  void part(lease_queue::party& p) noexcept;
  std::exception_ptr timeout_error(const lease_request& request) const;
  std::exception_ptr shed_error() const;
  std::exception_ptr closed_error() const;
  std::exception_ptr cancelled_error() const;

  const std::string name_;
  const std::size_t max_waiting_;
  const execution exec_;
  mutable std::mutex mutex_;
  std::condition_variable idle_;
  lease_queue queue_;
  std::vector<holder> holders_;
  // Set by close().
  std::function<void(std::size_t)> retire_;
  // A thread for every slot, for calls that hold one already. On the work executor they would wait
  // behind blocking callers that in turn wait for a slot: with all its threads so taken, nobody
  // moves. Last, so that it is empty before the rest goes.
  const execution runners_;
};

/// Those who waited behind a holder of a slot and whose errands it has taken over. They cannot
/// leave before they part from it.
///
/// Thread safety: one thread at a time, the holder's.
class companions {
 public:
  /// The pool must outlive it.
  explicit companions(lease_pool& pool) noexcept : pool_(&pool) {}
  companions(const companions&) = delete;
  companions& operator=(const companions&) = delete;
  ~companions() { part(); }

  /// Whether next() could find somebody.
  bool has_next() const;

  /// Takes over the errand of the first who waits, if it has one and `admits(errand)`, which is
  /// called under the pool's lock. Null otherwise.
  template <class Admits>
  errand* next(Admits admits) {
    auto call = [](void* context, const errand& e) { return (*static_cast<Admits*>(context))(e); };
    return pool_->adopt(party_, call, &admits);
  }

  /// Those whose errand is done are told so. The others wait for a slot of their own, as the first
  /// of all and in their order.
  void part() noexcept { pool_->part(party_); }

 private:
  lease_pool* pool_;
  lease_queue::party party_;
};

}  // namespace scalekit::db::detail
