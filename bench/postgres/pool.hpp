#pragma once

#include <string>

namespace bench::postgres {

/// Loans a second of a connection that is idle, taken and given back by one thread.
double acquires(const std::string& url);

/// The 99th percentile of the waits over the median: 200 callers that hold one of 20 connections
/// for 1 ms each. One that was turned away has waited for ever.
double unfairness(const std::string& url);

}  // namespace bench::postgres
