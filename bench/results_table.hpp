#pragma once

#include <istream>
#include <string>

namespace bench {

/// The lines of results.jsonl as the table of docs/benchmarks.md. Throws std::runtime_error for the
/// first that was a quick look: what is published has its runs.
std::string results_table(std::istream& lines);

}  // namespace bench
