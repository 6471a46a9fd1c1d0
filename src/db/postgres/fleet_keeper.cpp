#include "db/postgres/fleet_keeper.hpp"

#include "db/postgres/server_log.hpp"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

namespace scalekit::db::postgres {

using std::chrono::steady_clock;

fleet_keeper::fleet_keeper(const server_address& server, const client_params& params,
                           std::size_t beside, std::function<void(const detail::fleet_limit&)> told)
    : name_(server.name),
      where_(server.where),
      log_(params.log),
      interval_(params.topology.monitor_interval),
      may_be_pooled_(params.transaction_pooler == false),
      told_(std::move(told)),
      asks_(server, stop_.get_token()),
      budget_(beside, params.pool.min, params.pool.max) {}

void fleet_keeper::begin() {
  if (timetable_) return;
  timetable_.emplace([weak = weak_from_this()] {
    if (auto self = weak.lock()) self->tend();
  });
  timetable_->plan(steady_clock::now());
}

void fleet_keeper::close() {
  stop_.request_stop();
  if (timetable_) timetable_->plan(steady_clock::now());
}

void fleet_keeper::tend() {
  const auto now = steady_clock::now();
  if (!stop_.stop_requested()) look();
  if (stop_.stop_requested() || is_useless_) return asks_.hang_up();
  timetable_->plan(now + interval_);
}

void fleet_keeper::look() {
  using namespace std::chrono_literals;
  auto got = count(steady_clock::now() + std::max<std::chrono::nanoseconds>(interval_, 1s));
  if (stop_.stop_requested()) return;
  if (got.answer && got.answer->is_pooled && !may_be_pooled_) {
    is_useless_ = true;
    return give_up("a pooler stands before the server, and shares it out itself");
  }
  if (got.answer) {
    is_deaf_ = false;
    if (budget_.heard(got.answer->facts)) tell();
    return;
  }
  // A server that answers that it cannot say: it is asked again all the same.
  if (!got.against && !budget_.is_counted()) return give_up(got.why);
  if (std::exchange(is_deaf_, true)) return;
  log_of_server(log_, log_level::warning, "db.fleet.not_heard",
                "at most " + std::to_string(limit().max) + " connections to " + name_ +
                    " as before: who shares it could not be counted: " + got.why,
                where_);
}

/// Before it may hold the lock it must know that nobody else will get its session.
probed<fleet_sight> fleet_keeper::count(time_point until) {
  auto got = asks_.fleet(until);
  const bool joins =
      got.answer && !got.answer->is_member && (may_be_pooled_ || !got.answer->is_pooled);
  if (!joins) return got;
  const auto joined = asks_.join_fleet(until);
  if (joined.answer) return asks_.fleet(until);
  return {.answer = {}, .against = joined.against, .why = joined.why};
}

void fleet_keeper::give_up(const std::string& why) {
  if (!budget_.give_up(why)) return;
  log_of_server(
      log_, log_level::warning, "db.fleet.unavailable",
      "at most " + std::to_string(limit().max) + " connections to " + name_ + ": " + limit().why,
      where_);
  told_(limit());
}

void fleet_keeper::tell() {
  log_of_server(log_, log_level::info, "db.fleet.share",
                "at most " + std::to_string(limit().max) + " connections to " + name_ +
                    (limit().why.empty() ? std::string() : ": " + limit().why),
                where_);
  told_(limit());
}

}  // namespace scalekit::db::postgres
