#pragma once

#include "support/tcp_proxy.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <deque>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace support {

/// Decides when bytes of one direction of a proxied connection may go on. No I/O.
class tcp_proxy_flow {
 public:
  using clock = std::chrono::steady_clock;
  static constexpr std::size_t capacity = 1 << 20;

  void set(const flow_faults& faults, clock::time_point now) {
    faults_ = faults;
    left_ = faults.cut_after;
    next_send_ = {};
    for (auto& waiting : pieces_) waiting.due = std::min(waiting.due, now + faults.delay);
  }

  /// False while too much waits: the sender must feel it.
  bool has_room() const noexcept { return waiting_ < capacity; }

  void take(std::string bytes, clock::time_point now) {
    if (faults_.swallow || bytes.empty()) return;
    waiting_ += bytes.size();
    pieces_.push_back({now + faults_.delay, std::move(bytes)});
  }
  void take_end() noexcept {
    if (!faults_.swallow) ended_ = true;
  }

  /// The bytes to write now; the result is valid until the next call of a member.
  std::string_view ready(clock::time_point now) const noexcept {
    if (pieces_.empty() || now < due()) return {};
    auto limit = std::numeric_limits<std::size_t>::max();
    if (faults_.max_chunk > 0) limit = faults_.max_chunk;
    // At least every tenth of a second something moves.
    if (faults_.bytes_per_second > 0) limit = std::min(limit, faults_.bytes_per_second / 10 + 1);
    if (left_) limit = std::min(limit, *left_);
    return std::string_view(pieces_.front().bytes).substr(offset_, limit);
  }

  void wrote(std::size_t bytes, clock::time_point now) {
    waiting_ -= bytes;
    offset_ += bytes;
    if (left_) *left_ -= bytes;
    if (offset_ == pieces_.front().bytes.size()) {
      pieces_.pop_front();
      offset_ = 0;
    }
    if (faults_.bytes_per_second > 0) {
      const auto nanoseconds = bytes * 1'000'000'000 / faults_.bytes_per_second;
      next_send_ = now + std::chrono::nanoseconds(nanoseconds);
    }
  }

  /// When ready() will have something; nothing when it has already, or depends on the sender.
  std::optional<clock::time_point> next(clock::time_point now) const noexcept {
    if (pieces_.empty() || due() <= now) return std::nullopt;
    return due();
  }

  /// Nobody is there to take what waits.
  void discard() noexcept {
    pieces_.clear();
    offset_ = 0;
    waiting_ = 0;
  }

  /// As many bytes went through as were allowed to.
  bool is_used_up() const noexcept { return left_ == std::size_t{0}; }
  /// The sender has ended, and all it said was passed on.
  bool is_finished() const noexcept { return ended_ && pieces_.empty(); }
  bool has_ended() const noexcept { return ended_; }
  bool swallows() const noexcept { return faults_.swallow; }

 private:
  struct piece {
    clock::time_point due;
    std::string bytes;
  };

  clock::time_point due() const noexcept { return std::max(pieces_.front().due, next_send_); }

  flow_faults faults_;
  std::optional<std::size_t> left_;
  std::deque<piece> pieces_;
  std::size_t offset_ = 0;
  std::size_t waiting_ = 0;
  clock::time_point next_send_{};
  bool ended_ = false;
};

}  // namespace support
