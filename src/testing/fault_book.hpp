#pragma once

#include "scalekit/testing/fault.hpp"
#include "scalekit/testing/logged_call.hpp"

#include <cstddef>
#include <memory>
#include <source_location>
#include <string>
#include <vector>

namespace scalekit::testing::detail {

/// A fault in force, and what has become of it.
struct injected {
  const fault what;
  const std::source_location site;
  /// Calls that it is for; of these that met it; of these that were let go on.
  std::size_t seen = 0, met = 0, let_go = 0;
  bool is_removed = false;
};

/// The fault that a call met, if any, and the number of the call among those that did.
struct meeting {
  std::shared_ptr<injected> by = {};
  std::size_t number = 0;
};

/// Which call meets which fault, and a log of all: decisions, without waiting. One thread at a
/// time.
class fault_book {
 public:
  /// Throws std::invalid_argument: see database::inject().
  std::shared_ptr<injected> add(fault what, const std::source_location& site);
  void remove(injected& f) noexcept;
  void remove_all() noexcept;

  /// What goes to the database together is one call.
  meeting meet(std::vector<logged_call> asked);

  std::vector<std::string> left() const;
  const std::vector<logged_call>& log() const noexcept { return log_; }
  void clear_log() noexcept { log_.clear(); }

 private:
  std::vector<std::shared_ptr<injected>> faults_;
  std::vector<logged_call> log_;
};

}  // namespace scalekit::testing::detail
