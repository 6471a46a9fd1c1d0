#pragma once

#include "checks.hpp"
#include "phases.hpp"

#include <string>
#include <vector>

namespace demo {

/// The table: a column a run.
std::string summary_table(const std::vector<phase_result>& runs);

/// What the workers of a server did from its start to its end.
std::string jobs_line(const server_stats& at_end);

/// A line for each database server: its role, how many reads it was sent, how far behind it is.
/// Empty where there are none.
std::string hosts_section(const std::string& title, const server_stats& stats);

/// What the slow-query tracker of a server found.
std::string slow_section(const std::string& title, const server_stats& stats);

std::string check_list(const std::vector<check>& checks);

}  // namespace demo
