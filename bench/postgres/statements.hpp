#pragma once

// The statements of both sides, which differ in how parameters are written.

namespace bench::postgres {

inline constexpr char select_balance[] = "select abalance from pgbench_accounts where aid = $1";
inline constexpr char select_for_pgbench[] =
    "select abalance from pgbench_accounts where aid = :aid;";

inline constexpr char update_balance[] =
    "update pgbench_accounts set abalance = abalance + 1 where aid = $1";
inline constexpr char update_for_pgbench[] =
    "update pgbench_accounts set abalance = abalance + 1 where aid = :aid;";

}  // namespace bench::postgres
