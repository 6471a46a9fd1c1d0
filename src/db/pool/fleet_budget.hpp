#pragma once

#include "db/pool/fleet_limit.hpp"

#include <cstddef>
#include <string>

namespace scalekit::db::detail {

/// What a client of a fleet may have, from one look at the server to the next.
///
/// All look at the same intervals. A share that falls counts at once; one that rises when it was
/// found three times running: by then, two intervals later, every other client has looked as well,
/// and has given up what it had too much. Until then a client that has joined has one connection.
class fleet_budget {
 public:
  fleet_budget(std::size_t beside, std::size_t own_min, std::size_t own_max);

  const fleet_limit& limit() const noexcept { return limit_; }

  /// The server was asked. True: limit() has changed.
  bool heard(const fleet_facts& facts);

  /// Nothing can be learnt from the server, for `why`: the own limits hold. True: limit() has
  /// changed.
  bool give_up(const std::string& why);

  /// There was an answer.
  bool is_counted() const noexcept { return counted_; }

 private:
  bool adopt(fleet_limit next);

  const std::size_t beside_;
  const std::size_t own_min_;
  const std::size_t own_max_;
  fleet_limit limit_;
  bool counted_ = false;
  // A higher share, and how many times running it was found.
  std::size_t rising_to_ = 0;
  int found_ = 0;
};

}  // namespace scalekit::db::detail
