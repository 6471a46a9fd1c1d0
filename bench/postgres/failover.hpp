#pragma once

#include <memory>

namespace bench::postgres {

/// A primary that is killed under writers, with two synchronous replicas of which one is promoted.
class failovers {
 public:
  /// From the moment that the new primary accepts a write, as somebody finds who asks it every
  /// millisecond, to the first acknowledged write of the client.
  double seconds();
  /// Acknowledged writes that the new primary does not have: of all failovers so far.
  double lost();

 private:
  double lost_ = -1;
};

/// Reads after(token), in lanes and not, while a writer goes on and the replicas lag: of a part of
/// a million of them, how many did not see their token's write. Adds up.
class stale_reads {
 public:
  stale_reads();
  ~stale_reads();
  double count();

 private:
  struct state;
  std::unique_ptr<state> state_;
};

}  // namespace bench::postgres
