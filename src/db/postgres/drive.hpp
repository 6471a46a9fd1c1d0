#pragma once

#include "db/call_frame.hpp"
#include "db/postgres/link.hpp"

#include <vector>

// Driving a link on the calling thread, with poll(2).

namespace scalekit::db::postgres {

enum class wait_end { ready, deadline, stopped };

/// Waits until the socket can be read, or written where `writing`. `bell` may be -1.
wait_end wait_for(int socket, bool writing, int bell, time_point until);

/// Runs `e` alone: prepares its statement where need be, sends it, ends the group and waits until
/// the server is done with it. `until` and `bell` may end the wait: then the link is not quiet, and
/// belongs into quarantine.
///
/// Throws what encoding the parameters throws.
wait_end run_alone(link& l, const exchange_ptr& e, int bell, time_point until);

/// Reads until nothing is under way. False when it took too long, or the connection broke.
bool drain(link& l, time_point until);

/// Brings a link back into order whose caller went away: cancels what runs, waits until the cancel
/// can hit nothing else, reads what comes, and rolls back. False: close it.
bool recover(link& l, time_point until);

}  // namespace scalekit::db::postgres
