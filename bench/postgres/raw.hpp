#pragma once

#include <cstddef>
#include <string>

// The peers by hand: libpq as a careful user uses it, statements prepared once, parameters and
// results binary; in calls a second.

namespace bench::postgres {

double raw_blocking_reads(const std::string& url);

/// One connection a thread.
double raw_blocking_reads(const std::string& url, std::size_t threads);

/// One thread; each connection has `depth` reads under way and then one Sync.
double raw_pipelined_reads(const std::string& url, std::size_t connections, std::size_t depth);

#ifdef SCALEKIT_BENCH_WITH_PQXX
double pqxx_reads(const std::string& url);
#endif

}  // namespace bench::postgres
