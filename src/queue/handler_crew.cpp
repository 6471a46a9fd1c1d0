#include "queue/handler_crew.hpp"

#include <exception>
#include <pthread.h>
#include <utility>

namespace scalekit::queue::detail {
namespace {

disposition after_exception(job_board& board, running_attempt& run, std::string what) {
  const auto cause = run.cause.load();
  const auto facts = board.facts_of(run);
  // Asked to stop for no fault of its own: whatever it threw, it would not have thrown.
  if (cause == stop_cause::shutdown || cause == stop_cause::doubtful) {
    return after_interruption(facts);
  }
  return after_outcome(facts, outcome::retry(std::move(what)));
}

void work(const std::shared_ptr<job_board>& board, std::atomic<bool>& in_handler) {
  while (const auto run = board->take()) {
    in_handler = true;
    const auto how = run_handler(*board, *run);
    in_handler = false;
    board->finish(*run, how);
  }
}

}  // namespace

disposition run_handler(job_board& board, running_attempt& run) noexcept {
  attempt a(run);
  try {
    const auto o = run.kind.run(a);
    return after_outcome(board.facts_of(run), o);
  } catch (const outcome& o) {
    return after_outcome(board.facts_of(run), o);
  } catch (const std::exception& e) {
    return after_exception(board, run, e.what());
  } catch (...) {
    return after_exception(board, run, "the handler threw something that is no std::exception");
  }
}

void handler_crew::start(const std::shared_ptr<job_board>& board, std::size_t threads) {
  for (std::size_t i = 0; i < threads; ++i) {
    auto in_handler = std::make_shared<std::atomic<bool>>(false);
    std::thread thread([board, in_handler] { work(board, *in_handler); });
    pthread_setname_np(thread.native_handle(), "sk-queue-job");
    members_.push_back({std::move(thread), std::move(in_handler)});
  }
}

void handler_crew::dismiss(bool some_abandoned) {
  for (auto& m : members_) {
    if (some_abandoned && *m.in_handler) {
      m.thread.detach();
    } else {
      m.thread.join();
    }
  }
  members_.clear();
}

}  // namespace scalekit::queue::detail
