#pragma once

#include "scalekit/core/detail/post.hpp"
#include "scalekit/db/detail/async_calls.hpp"
#include "scalekit/db/detail/backend.hpp"
#include "scalekit/db/read_each.hpp"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <source_location>
#include <stop_token>
#include <utility>
#include <vector>

namespace scalekit::db::detail {

/// Rows that were read and not handed out yet.
template <class Row>
struct row_buffer {
  // std::vector<bool> has no bool to refer to.
  struct item {
    Row row;
  };

  void operator()(Row&& row) { items.push_back({std::move(row)}); }

  std::vector<item> items;
  std::size_t next = 0;
  /// Of all rows that came before these.
  std::uint64_t bytes_before = 0;
};

/// Fills a buffer, and says when it is full: so many rows that going to another loop costs little
/// for each, so few that they take little memory, and of large ones one.
template <class Row>
class buffered_rows final : public row_stream<Row, row_buffer<Row>> {
 public:
  static constexpr std::size_t most_rows = 256;
  static constexpr std::uint64_t most_bytes = 64 << 10;

  buffered_rows(row_buffer<Row>& to, const stream_limits& limits)
      : row_stream<Row, row_buffer<Row>>(to, limits), buffer_(to) {}

  bool is_full() const noexcept override {
    return buffer_.items.size() >= most_rows || this->bytes() - buffer_.bytes_before >= most_bytes;
  }

 private:
  const row_buffer<Row>& buffer_;
};

/// Completes with the number of rows, of which each went to a function before. The driver reads
/// them where it runs; they are handed out, a buffer at a time, where the handler belongs: never
/// by two threads at once, and none after the answer, which waits for the function to return.
template <class Row, class Each, class Executor>
class each_call final : public async_call,
                        public std::enable_shared_from_this<each_call<Row, Each, Executor>> {
 public:
  each_call(std::shared_ptr<pending<std::uint64_t>> op, Executor on, Each each,
            const stream_limits& limits, std::stop_token also_stop, std::source_location site)
      : op_(std::move(op)),
        executor_(std::move(on)),
        each_(std::move(each)),
        rows_(buffer_, limits),
        stop_(op_->stop_token()),
        also_stop_(std::move(also_stop)),
        site_(site) {}

  row_sink* rows() noexcept override { return &rows_; }
  std::stop_token stop() const noexcept override { return stop_; }

  void hand_over(consumed then) noexcept override {
    {
      std::lock_guard lock(mutex_);
      ++handing_out_;
    }
    post_hand_out(std::move(then));
  }

  void finish(std::exception_ptr e, write_result) noexcept override {
    {
      std::lock_guard lock(mutex_);
      end_ = std::move(e);
      is_over_ = true;
      if (handing_out_ > 0) return;
    }
    post_end();
  }

 private:
  /// After so long others on the executor get their turn: its timers, and who would stop this.
  static constexpr std::chrono::milliseconds turn{1};

  void post_hand_out(consumed then) {
    scalekit::detail::post_from_outside(
        executor_, [self = this->shared_from_this(), then = std::move(then)]() mutable {
          self->hand_out(std::move(then));
        });
  }
  void post_end() {
    scalekit::detail::post_from_outside(executor_,
                                        [self = this->shared_from_this()] { self->end(); });
  }

  /// False when the turn is over before the rows are.
  template <class IsOver>
  bool give_rows(IsOver is_over) {
    const auto turn_ends = std::chrono::steady_clock::now() + turn;
    while (buffer_.next < buffer_.items.size() && !is_over()) {
      if (stop_.stop_requested() || also_stop_.stop_requested()) {
        throw cancelled_between_rows(site_, handed_out_);
      }
      ++handed_out_;
      (*each_)(std::move(buffer_.items[buffer_.next++].row));
      const bool has_more = buffer_.next < buffer_.items.size();
      if (has_more && std::chrono::steady_clock::now() >= turn_ends) return false;
    }
    return true;
  }

  void hand_out(consumed then) {
    try {
      if (!give_rows([this] { return is_over_.load(std::memory_order_relaxed); })) {
        return post_hand_out(std::move(then));
      }
    } catch (...) {
      failure_ = std::current_exception();
    }
    buffer_.items.clear();
    buffer_.next = 0;
    buffer_.bytes_before = rows_.bytes();
    then(failure_);
    // The driver, and with it perhaps the client, is let go before the answer: with that the host
    // may end the loop in which the driver lives.
    then = nullptr;
    {
      std::lock_guard lock(mutex_);
      // The driver may have handed over the next rows meanwhile.
      if (--handing_out_ > 0 || !is_over_) return;
    }
    end();
  }

  void end() {
    try {
      if (!failure_ && !give_rows([] { return false; })) return post_end();
    } catch (...) {
      failure_ = std::current_exception();
    }
    if (!failure_) failure_ = std::move(end_);
    // It may hold the client.
    each_.reset();
    op_->complete(failure_, failure_ ? 0 : rows_.rows());
  }

  const std::shared_ptr<pending<std::uint64_t>> op_;
  const Executor executor_;
  std::optional<Each> each_;
  row_buffer<Row> buffer_;
  buffered_rows<Row> rows_;
  const std::stop_token stop_, also_stop_;
  const std::source_location site_;
  std::uint64_t handed_out_ = 0;
  /// What the function threw.
  std::exception_ptr failure_;

  std::mutex mutex_;
  /// Buffers whose hand_out() has not returned.
  int handing_out_ = 0;
  std::atomic<bool> is_over_{false};
  /// What the driver said at the end.
  std::exception_ptr end_;
};

}  // namespace scalekit::db::detail
