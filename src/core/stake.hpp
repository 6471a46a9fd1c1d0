#pragma once

#include <memory>
#include <utility>

namespace scalekit::detail {

/// What a handler that waits in a loop keeps of its owner. A loop that goes without running it
/// would leave behind the owner, its calls and their client, which keep each other: then
/// Owner::forsake() lets go of the calls.
template <class Owner>
class stake {
 public:
  explicit stake(std::shared_ptr<Owner> in) noexcept : owner_(std::move(in)) {}
  stake(stake&&) noexcept = default;
  stake(const stake&) = delete;
  stake& operator=(const stake&) = delete;
  ~stake() {
    if (owner_) owner_->forsake();
  }

  /// When the handler runs.
  std::shared_ptr<Owner> take() noexcept { return std::move(owner_); }

 private:
  std::shared_ptr<Owner> owner_;
};

}  // namespace scalekit::detail
