#pragma once

#include "support/wait_until.hpp"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <functional>
#include <thread>
#include <vector>

namespace db_test {

/// Does the same again and again, on many threads, until it is destroyed.
class crowd {
 public:
  template <class Round>
  crowd(int threads, Round round) : rounds_(static_cast<std::size_t>(threads)) {
    for (auto& rounds : rounds_) {
      threads_.emplace_back([this, round, &rounds] {
        for (; !over_; ++rounds) round();
      });
    }
  }
  ~crowd() { leave(); }
  /// No round that is under way now is any more: false when that takes too long.
  bool wait_for_those_under_way() const {
    std::vector<int> before(rounds_.begin(), rounds_.end());
    return support::wait_until([&] {
      return std::equal(rounds_.begin(), rounds_.end(), before.begin(), std::greater<>());
    });
  }

  void leave() {
    over_ = true;
    for (auto& each : threads_) {
      if (each.joinable()) each.join();
    }
  }

 private:
  std::atomic<bool> over_{false};
  std::vector<std::atomic<int>> rounds_;
  std::vector<std::thread> threads_;
};

}  // namespace db_test
