#pragma once

#include "scalekit/core/error.hpp"
#include "scalekit/core/export.hpp"
#include "scalekit/redis/detail/backend.hpp"
#include "scalekit/redis/detail/call.hpp"
#include "scalekit/redis/detail/request.hpp"
#include "scalekit/redis/options.hpp"
#include "scalekit/redis/reply.hpp"

#include <atomic>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace scalekit::redis::detail {

/// What became of one of several calls.
struct call_outcome {
  std::string command = {};
  /// Null: there is an answer.
  std::exception_ptr failure = {};
  reply answer = {};
};

/// Several calls that are made at once, and are waited for together.
///
/// Thread safety: abandon() and give_up() may be called from any thread.
class SCALEKIT_EXPORT gathering : public call_owner,
                                  public std::enable_shared_from_this<gathering> {
 public:
  /// Called once, with the outcomes in the order of the calls.
  using completion = std::function<void(std::vector<call_outcome>&&)>;

  explicit gathering(std::vector<request> calls);
  ~gathering() override;

  /// Makes them. Ends by `done`, never from inside this function. `on` outlives it until then.
  /// Throws errc::forked, and nothing was begun.
  void start(backend& on, const call_options& options, completion done);

  void abandon(const call_ptr& c, std::exception_ptr why) override;

  /// Ends at once those that have not ended, as errc::cancelled would, but with what `why` makes of
  /// the command and of whether it may be repeated.
  void give_up(const std::function<error(const std::string&, bool)>& why);

 private:
  class member;

  void one_ended() noexcept;
  void complete();

  std::vector<request> calls_;
  // Each has its own; read once nothing is left.
  std::vector<call_outcome> outcomes_;
  /// Theirs is who runs them, which may let go of them unfinished.
  std::vector<std::weak_ptr<member>> members_;
  /// And one for start().
  std::atomic<std::size_t> left_;
  completion done_;
  std::mutex mutex_;
  /// All are made, and who has them is known.
  bool is_begun_ = false;
  std::optional<std::exception_ptr> stop_;
  std::optional<std::stop_callback<std::function<void()>>> watch_;
};

/// Makes them on the calling thread's behalf, and waits for all. Throws errc::not_allowed and
/// errc::forked; what becomes of each is in its outcome.
SCALEKIT_EXPORT std::vector<call_outcome> run_each(backend& on, std::vector<request> calls,
                                                   const call_options& options);

}  // namespace scalekit::redis::detail
