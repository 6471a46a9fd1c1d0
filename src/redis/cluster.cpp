#include "redis/cluster.hpp"

#include "redis/call_errors.hpp"
#include "redis/cluster_course.hpp"
#include "redis/cluster_journey.hpp"
#include "redis/split_call.hpp"
#include "scalekit/core/deadline.hpp"
#include "scalekit/redis/detail/gathering.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <exception>
#include <thread>
#include <utility>

namespace scalekit::redis::detail {

using std::chrono::steady_clock;
using namespace std::chrono_literals;

namespace {

class under_way {
 public:
  explicit under_way(cluster_nodes& in) noexcept : in_(in) { ++in_.under_way; }
  ~under_way() { --in_.under_way; }
  under_way(const under_way&) = delete;
  under_way& operator=(const under_way&) = delete;

 private:
  cluster_nodes& in_;
};

std::vector<request> requests_of(std::vector<split_part>& parts) {
  std::vector<request> calls;
  calls.reserve(parts.size());
  for (auto& each : parts) calls.push_back(std::move(each.what));
  return calls;
}

}  // namespace

cluster::cluster(cluster_target to, scalekit::execution exec)
    : nodes_(std::make_shared<cluster_nodes>(std::move(to), std::move(exec))) {}

cluster::~cluster() {
  // In a forked child a lock may be held by a thread that is not there.
  if (!fork_guard_.is_forked()) nodes_->let_go();
}

void cluster::check(const request& what, const call_options& options) const {
  nodes_->counted.calls.add();
  if (closing_.load(std::memory_order_relaxed)) throw closed_error({what.name, name()});
  if (options.stop.stop_requested()) throw cancelled_error({what.name, name()});
}

bool cluster::is_to_split(const request& what, const slot_span& slots) {
  if (!slots.other) return false;
  if (split_kind_of(what) != split_kind::none) return true;
  throw error(errc::invalid_argument,
              what.name + ": its keys are in different slots of the cluster, " +
                  std::to_string(*slots.first) + " and " + std::to_string(*slots.other) +
                  "; give them a hash tag in common: \"{user:42}:cart\" and \"{user:42}:orders\"");
}

reply cluster::run(request& what, const call_options& options) {
  fork_guard_.check("redis::client");
  io_thread_mark::check_blocking_allowed("redis::client::call");
  try {
    check(what, options);
    const auto slots = slots_of(what);
    if (is_to_split(what, slots)) return run_split(what, options);
    const under_way one(*nodes_);
    auto now = steady_clock::now();
    cluster_course course(nodes_, what, slots.first, options,
                          deadline::after(options.timeout.value_or(timeout()), now).when());
    for (;; now = steady_clock::now()) {
      auto failure = error();
      try {
        // A node may take it to pieces.
        auto copy = what;
        return course.next(copy).run(copy, course.options(now));
      } catch (const error& e) {
        failure = e;
      }
      const auto plan = course.failed(failure, steady_clock::now());
      if (plan.next == hop_plan::step::give_up) throw failure;
      if (plan.next == hop_plan::step::resend) continue;
      nodes_->sleep(steady_clock::now() + plan.pause, course.generation(), options.stop);
      if (options.stop.stop_requested()) throw cancelled_error({what.name, name()});
    }
  } catch (const error& e) {
    nodes_->counted.count(e);
    throw;
  }
}

reply cluster::run_split(const request& what, const call_options& options) {
  auto parts = split_by_slot(what);
  return join(what, parts, run_each(*this, requests_of(parts), options));
}

void cluster::start(call_ptr c, const call_options& options) {
  fork_guard_.check("redis::client");
  try {
    check(c->what, options);
    const auto now = steady_clock::now();
    c->since = now;
    c->until = deadline::after(options.timeout.value_or(timeout()), now).when();
    c->may_repeat = c->what.is_read || options.idempotent;
    const auto slots = slots_of(c->what);
    if (is_to_split(c->what, slots)) return start_split(c, options);
    cluster_course course(nodes_, c->what, slots.first, options, c->until);
    std::make_shared<cluster_journey>(nodes_, c, std::move(course))->start();
  } catch (const error& e) {
    nodes_->counted.count(e);
    boost::asio::post(execution().completion_executor(),
                      [c = std::move(c), e] { c->finish(std::make_exception_ptr(e), {}); });
  }
}

void cluster::start_split(const call_ptr& c, const call_options& options) {
  auto parts = split_by_slot(c->what);
  const auto all = std::make_shared<gathering>(requests_of(parts));
  c->in = all;
  c->watch();
  auto own = options;
  // Its watch is the whole call's.
  own.stop = {};
  all->start(*this, own, [c, parts = std::move(parts)](std::vector<call_outcome>&& outcomes) {
    try {
      c->finish(nullptr, join(c->what, parts, std::move(outcomes)));
    } catch (...) {
      c->finish(std::current_exception(), {});
    }
  });
}

void cluster::close(std::chrono::nanoseconds timeout) {
  fork_guard_.check("redis::client");
  io_thread_mark::check_blocking_allowed("redis::client::close");
  if (closing_.exchange(true)) return;
  const auto end = deadline::after(timeout).when();
  for (auto pause = 1ms; nodes_->under_way.load() > 0 && steady_clock::now() < end;
       pause = std::min(2 * pause, 20ms)) {
    std::this_thread::sleep_for(pause);
  }
  nodes_->close();
}

client_statistics cluster::statistics() const {
  return nodes_->statistics();
}

}  // namespace scalekit::redis::detail
