#include "queue/pump.hpp"

#include "queue/bisect.hpp"
#include "scalekit/core/backoff.hpp"

#include <algorithm>
#include <iterator>
#include <span>
#include <string>
#include <utility>

namespace scalekit::queue::detail {
namespace {

constexpr backoff_params after_failure{.base = std::chrono::milliseconds{50},
                                       .cap = std::chrono::seconds{2}};
constexpr std::chrono::seconds between_stuck_tries{2};

/// What one of many endings can be to blame for; everything else is the database's own trouble.
bool may_be_one_rows_fault(const boost::system::error_code& code) noexcept {
  return code == errc::constraint_violation || code == errc::value_out_of_range ||
         code == errc::too_large || code == errc::column_mismatch || code == errc::corrupt ||
         code == errc::backend_error;
}

}  // namespace

pump::pump(job_board& board, engine& store, const worker_params& params, const clock& wall,
           const log_sink& log)
    : board_(board),
      store_(store),
      params_(params),
      wall_(wall),
      log_(log),
      most_claimed_(params.max_batch) {
  for (const auto& [kind, entry] : board.kinds()) kinds_.push_back(kind);
}

void pump::run() {
  for (;;) {
    auto order = board_.next_order();
    if (order.quit) return;
    if (order.what == pump_step::action::look) {
      look();
    } else {
      take_turn(std::move(order));
    }
  }
}

void pump::look() {
  try {
    const auto seen = store_.glance(params_.queues, kinds_);
    const auto now = wall_.wall_now();
    std::optional<std::chrono::nanoseconds> due_in;
    // Other programs may have stored a time that nanoseconds cannot reach.
    if (seen.next_due) {
      due_in = std::min<std::chrono::microseconds>(*seen.next_due - now, std::chrono::hours{1});
    }
    board_.looked(seen.has_ready || (seen.next_due && *seen.next_due <= now), due_in);
    succeeded();
  } catch (...) {
    failed({}, to_error(std::current_exception()));
  }
}

turn_result pump::turn(const std::vector<ended>& endings, const pump_order* claim) {
  std::vector<settlement> settle;
  settle.reserve(endings.size());
  for (const auto& e : endings) settle.push_back(e.how.what);

  turn_request request{.settle = settle, .now = wall_.wall_now()};
  std::vector<std::string> queues;
  if (claim != nullptr && claim->claim > 0) {
    // Each queue is the first in its turn, so that none is served only when others are empty.
    const auto first = static_cast<std::ptrdiff_t>(turns_++ % params_.queues.size());
    queues.assign(params_.queues.begin() + first, params_.queues.end());
    queues.insert(queues.end(), params_.queues.begin(), params_.queues.begin() + first);
    request.who = claim->who;
    request.claim = claim->claim;
    request.claim_bytes = params_.max_claim_bytes;
    request.queues = queues;
    request.kinds = kinds_;
  }
  return store_.turn(request);
}

void pump::take_turn(pump_order order) {
  order.claim = std::min(order.claim, most_claimed_);
  turn_result result;
  try {
    result = turn(order.endings, &order);
  } catch (...) {
    const auto e = to_error(std::current_exception());
    if (e.code() == errc::disk_full) {
      take_turn_without_room(std::move(order), e);
    } else if (may_be_one_rows_fault(e.code()) && !order.endings.empty()) {
      settle_apart(std::move(order.endings));
      failed({}, e);
    } else {
      failed(std::move(order.endings), e);
    }
    return;
  }
  succeeded();
  record(order.endings, result.settled);
  if (order.claim > 0) most_claimed_ = std::min(2 * most_claimed_, params_.max_batch);
  take_over(order, std::move(result));
}

void pump::take_over(const pump_order& order, turn_result result) {
  for (const auto& job : result.unreadable) {
    const auto id = std::to_string(job.id);
    log_(log_level::error, "queue.job.unreadable",
         "a job cannot be read; it was made a dead letter, see queue::dead_letters()",
         {{"job", id}, {"kind", job.kind}, {"error", job.why}});
  }
  if (result.evicted) {
    board_.set_evicted();
  } else if (order.claim > 0) {
    board_.deliver(std::move(result.claimed), order.claim, order.who);
  }
}

/// Endings of jobs that are over free room, other endings and claims need some. Together they would
/// wait for each other, so each gets its own try, and a single job is claimed: done, it frees more.
void pump::take_turn_without_room(pump_order order, const error& e) {
  const auto frees_room = [](const ended& each) {
    return each.how.what.to == settlement::fate::remove;
  };
  auto& endings = order.endings;
  const auto others = std::stable_partition(endings.begin(), endings.end(), frees_room);
  std::vector<ended> left;
  const auto settle = [&](auto first, auto last) {
    std::vector<ended> part(std::make_move_iterator(first), std::make_move_iterator(last));
    if (part.empty()) return;
    try {
      record(part, turn(part, nullptr).settled);
    } catch (...) {
      std::move(part.begin(), part.end(), std::back_inserter(left));
    }
  };
  settle(endings.begin(), others);
  settle(others, endings.end());

  bool claimed = order.claim == 0;
  if (!claimed) {
    order.claim = most_claimed_ = 1;
    try {
      take_over(order, turn({}, &order));
      claimed = true;
    } catch (...) {
      // As e says.
    }
  }
  if (left.empty() && claimed) {
    succeeded();
  } else {
    failed(std::move(left), e);
  }
}

void pump::settle_apart(std::vector<ended> endings) {
  std::vector<bool> recorded(endings.size(), false);
  try {
    turn_result result;
    const auto failures = bisect(
        std::span<ended>(endings),
        [&](std::span<ended> part) {
          result = turn(std::vector<ended>(part.begin(), part.end()), nullptr);
        },
        [&](std::span<ended> part) {
          record(std::vector<ended>(part.begin(), part.end()), result.settled);
          const auto first = part.data() - endings.data();
          std::fill_n(recorded.begin() + first, part.size(), true);
        },
        [](const std::exception_ptr& e) { return !may_be_one_rows_fault(to_error(e).code()); });
    for (const auto& f : failures) {
      const auto why = to_error(f.why);
      const auto job = std::to_string(endings[f.index].how.what.held.job);
      log_(log_level::error, "queue.job.stuck",
           "how an attempt ended cannot be recorded; it is tried again",
           {{"job", job}, {"error", why.what()}});
      board_.hold_back(std::move(endings[f.index]), between_stuck_tries);
    }
  } catch (...) {
    std::vector<ended> left;
    for (std::size_t i = 0; i < endings.size(); ++i) {
      if (!recorded[i]) left.push_back(std::move(endings[i]));
    }
    failed(std::move(left), to_error(std::current_exception()));
  }
}

void pump::record(const std::vector<ended>& endings, const std::vector<bool>& settled) {
  board_.recorded(endings, settled);
  if (!log_.wants(log_level::warning)) return;
  for (std::size_t i = 0; i < endings.size(); ++i) {
    const auto& [how, kind, inside] = endings[i];
    if (how.as != ending::dead || !settled[i]) continue;
    const auto job = std::to_string(how.what.held.job);
    const auto errors = std::to_string(how.what.past.errors);
    log_(log_level::warning, "queue.job.dead", "a job was given up; see queue::dead_letters()",
         {{"job", job}, {"kind", kind->counts.kind}, {"errors", errors}});
  }
}

void pump::failed(std::vector<ended> endings, const error& e) {
  ++failures_;
  const auto pause = backoff_delay(after_failure, failures_, board_.random());
  const auto waiting = std::to_string(endings.size());
  if (failures_ == 1) {
    log_(log_level::warning, "queue.database.failing",
         "the worker cannot record or claim jobs; it goes on trying",
         {{"error", e.what()}, {"endings_waiting", waiting}});
  }
  board_.put_back(std::move(endings), pause);
}

void pump::succeeded() {
  if (failures_ == 0) return;
  const auto failures = std::to_string(std::exchange(failures_, 0));
  log_(log_level::info, "queue.database.well", "the worker reaches its database again",
       {{"failures", failures}});
}

}  // namespace scalekit::queue::detail
