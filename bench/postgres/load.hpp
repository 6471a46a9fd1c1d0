#pragma once

#include <cstddef>
#include <string>

// Our side: loads on a client, in calls a second. Each opens a client of its own, with default
// settings and a tracker, and measures once its calls have become what they stay.

namespace bench::postgres {

/// One thread that reads in a loop.
double blocking_reads(const std::string& url);

/// The same from `threads` threads.
double blocking_reads(const std::string& url, std::size_t threads);

enum class loop {
  /// Coroutines run in the loop of the client's sockets.
  shared,
  /// The client's sockets are in another loop, on another thread.
  foreign,
};
double coroutine_reads(const std::string& url, std::size_t coroutines, loop where);

double coroutine_writes(const std::string& url, std::size_t coroutines);

}  // namespace bench::postgres
