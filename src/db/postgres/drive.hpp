#pragma once

#include "db/postgres/conversation.hpp"
#include "scalekit/core/clock.hpp"

// Driving a link on the calling thread, with poll(2).

namespace scalekit::db::postgres {

enum class wait_end { ready, deadline, stopped };

/// Waits until the socket can be read, or written where `writing`. `bell` may be -1.
wait_end wait_for(int socket, bool writing, int bell, time_point until);

/// Holds a conversation until it is over (wait_end::ready), on the calling thread. The deadline, or
/// `c.bell`, may end it before: then the link is not quiet, and belongs into quarantine. Throws
/// what the conversation throws.
wait_end converse(connection& c, conversation& what, time_point until);

/// Goes on with a conversation that was interrupted, and hears nothing but the deadline.
wait_end resume(connection& c, conversation& what, time_point until);

/// Whether a quiet link still has its server, as far as the socket knows; does not wait.
bool is_alive(link& l);

/// Reads until nothing is under way. False when it took too long, or the connection broke.
bool drain(link& l, time_point until);

/// Brings a link back into order whose caller went away: cancels what runs, waits until the cancel
/// can hit nothing else, reads what comes, and rolls back. False: close it.
bool recover(link& l, cancel_sender& cancels, time_point until);

}  // namespace scalekit::db::postgres
