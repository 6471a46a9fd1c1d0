#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace bench {

/// The keys of a trace in the order of the requests. `arc`: the format of the ARC paper, a line
/// being `start count ignored sequence`, which is `count` requests from `start` on; else that of
/// the LIRS paper, a number a line, a line `*` being no request. Throws std::runtime_error.
std::vector<std::uint64_t> read_trace(const std::string& path, bool arc);

}  // namespace bench
