#pragma once

#include "db/postgres/connection.hpp"

namespace scalekit::db::postgres {

/// What a call has to say to the server, step by step: decisions without waiting, so that the same
/// one runs on a thread of its caller's or in an event loop.
class conversation {
 public:
  virtual ~conversation() = default;

  /// The link is quiet: whatever was sent has been answered, or lost. Looks at the answers and
  /// sends what comes next. False: it is over. Throws when it has failed; what was sent before it
  /// threw may still be under way.
  virtual bool advance(connection& c) = 0;
};

}  // namespace scalekit::db::postgres
