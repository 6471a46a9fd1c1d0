#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace scalekit::cache::detail {

/// What should be gone from a server and perhaps is not, because the server could not be reached
/// when it was erased or replaced. Paid before anything is read there again: what this process was
/// told is gone, it does not see again.
///
/// Bounded: what does not fit makes everything owed, which only a new epoch pays.
///
/// No I/O. Thread safety: all members may be called from any thread.
class owed_erasures {
 public:
  owed_erasures(std::size_t most_keys, std::size_t most_bytes)
      : most_keys_(most_keys), most_bytes_(most_bytes) {}

  void add(std::string_view key);
  void add_everything();

  /// What is to be erased first.
  struct payment {
    bool everything = false;
    std::vector<std::string> keys = {};
    /// Nothing is paid that was owed after this.
    std::uint64_t until = 0;
  };

  /// What is due before `keys` may be read: those of them that are owed, and some others with them.
  std::optional<payment> due(std::span<const std::string> keys) const;

  /// What a new epoch pays, once there is one.
  payment all() const;

  void paid(const payment& what);

  /// All of them, where not everything is owed.
  std::vector<std::string> keys() const;

  bool empty() const noexcept { return size() == 0 && !owes_everything(); }
  /// Keys that are owed.
  std::size_t size() const noexcept { return size_; }
  bool owes_everything() const noexcept { return everything_; }
  /// How many debts were made, paid or not.
  std::uint64_t made() const noexcept { return last_; }

 private:
  /// Each with the number of the debt that was made last.
  using debts = std::map<std::string, std::uint64_t, std::less<>>;

  debts::iterator forget(debts::iterator debt, std::uint64_t until);
  void note_size();

  const std::size_t most_keys_;
  const std::size_t most_bytes_;
  mutable std::mutex mutex_;
  debts keys_;
  std::size_t bytes_ = 0;
  std::uint64_t everything_since_ = 0;
  // Looked at without the lock, by every call.
  std::atomic<std::uint64_t> last_{0};
  std::atomic<std::size_t> size_{0};
  std::atomic<bool> everything_{false};
};

}  // namespace scalekit::cache::detail
