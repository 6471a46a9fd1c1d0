#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

// GETs of random keys, in calls a second: ours with default settings, and those of raw hiredis.

namespace bench::redis {

/// One thread that reads in a loop.
double blocking_gets(const std::string& url);

/// On one connection, in the loop of the client.
double coroutine_gets(const std::string& url, std::size_t coroutines);

double raw_blocking_gets(std::uint16_t port);

/// On one connection, `depth` commands written, then as many answers read.
double raw_pipelined_gets(std::uint16_t port, std::size_t depth);

}  // namespace bench::redis
