#pragma once

#include "db/postgres/backend.hpp"
#include "db/postgres/lane.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <semaphore>
#include <stop_token>

// Reads that go through a lane.

namespace scalekit::db::postgres {

/// For a caller without a thread: decodes and completes on the lane's loop.
class async_lane_read final : public lane_member,
                              public std::enable_shared_from_this<async_lane_read> {
 public:
  /// `frame` is of `options`, wherever they are before this.
  async_lane_read(std::shared_ptr<backend> owner, const destination& to, statement&& query,
                  call_options&& options, const detail::call_frame& frame,
                  statement_entry_ptr known, std::shared_ptr<detail::async_call> call);

  void start(const std::shared_ptr<lane>& through);
  void settle(std::exception_ptr failure) noexcept override;
  const std::source_location& site() const noexcept override { return query_.site(); }
  const detail::call_frame& frame() const noexcept override { return frame_; }

 private:
  struct stop_watch {
    using callback = std::stop_callback<std::function<void()>>;
    std::optional<callback> stop, also_stop;
  };

  bool run_elsewhere(const std::exception_ptr& failure);
  /// On a connection of its own, wherever that is.
  bool run_again();

  const std::shared_ptr<backend> backend_;
  const host& at_;
  const statement query_;
  const call_options options_;
  const std::shared_ptr<detail::async_call> call_;
  const std::stop_token also_stop_;
  detail::call_frame frame_;
  /// Only where there are other hosts.
  std::unique_ptr<call_on_host> under_way_;
  /// Only where it can be stopped: it is large.
  std::unique_ptr<stop_watch> watching_;
};

// With the counts of its shared_ptr it is served from malloc's quick bins, of up to 1032 bytes.
static_assert(sizeof(async_lane_read) <= 1016);

/// For a caller that waits: it decodes on its own thread.
class blocking_lane_read final : public lane_member,
                                 public std::enable_shared_from_this<blocking_lane_read> {
 public:
  /// `query` and `frame` must live until run() returns.
  blocking_lane_read(const statement& query, statement_entry_ptr known,
                     const detail::call_frame& frame);

  /// Throws what became of it instead of a result.
  void run(const std::shared_ptr<lane>& through, const backend& owner);
  void settle(std::exception_ptr failure) noexcept override;
  const std::source_location& site() const noexcept override { return query_.site(); }
  const detail::call_frame& frame() const noexcept override { return frame_; }

 private:
  const statement& query_;
  const detail::call_frame& frame_;
  std::exception_ptr failure_;
  std::binary_semaphore over_{0};
};

}  // namespace scalekit::db::postgres
