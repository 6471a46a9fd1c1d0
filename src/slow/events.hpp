#pragma once

#include "scalekit/core/log.hpp"
#include "scalekit/core/request_scope.hpp"
#include "slow/scope_table.hpp"
#include "slow/statement_entry.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <source_location>

// The log records of the room. Their names and fields are part of the interface: docs/slow.md.

namespace scalekit::slow {

/// "slow.statement".
void report_slow(const log_sink& log, const detail::statement_entry& entry,
                 const counted_call& call, const request_scope& scope,
                 std::chrono::nanoseconds threshold, std::uint64_t suppressed);

/// "slow.n_plus_one".
void report_n_plus_one(const log_sink& log, const detail::statement_entry& entry,
                       const std::source_location& where, const request_scope& scope,
                       const scope_count& group);

/// "slow.overflow".
void report_overflow(const log_sink& log, std::size_t max_statements);

}  // namespace scalekit::slow
