#include "db/postgres/sqlstate.hpp"

namespace scalekit::db::postgres {
namespace {

struct rule {
  std::string_view prefix;
  errc meaning;
};

// The longest prefix that fits decides.
constexpr rule rules[] = {
    {"08", errc::connection_lost},
    {"08001", errc::unavailable},    // could not connect
    {"08004", errc::unavailable},    // the server refused to be connected to
    {"08P01", errc::backend_error},  // protocol violation: another attempt ends the same way
    {"0A", errc::not_supported},
    {"0B", errc::not_allowed},
    {"21", errc::invalid_statement},  // a subquery gave several rows, and the like
    {"22", errc::value_out_of_range},
    {"2200H", errc::backend_error},  // a sequence is used up
    {"23", errc::constraint_violation},
    {"25", errc::not_allowed},  // not in this state of the transaction
    {"25006", errc::read_only},
    {"25P03", errc::connection_lost},  // idle in a transaction for too long
    {"25P04", errc::connection_lost},  // a transaction open for too long
    {"26", errc::invalid_statement},
    {"27", errc::constraint_violation},
    {"28", errc::not_allowed},
    {"2B", errc::constraint_violation},
    {"2D", errc::not_allowed},
    {"2F002", errc::not_allowed},
    {"2F003", errc::not_allowed},
    {"2F004", errc::not_allowed},
    {"34", errc::invalid_statement},
    {"3B", errc::invalid_statement},
    {"3D", errc::unavailable},  // no such database
    {"3F", errc::invalid_statement},
    {"40", errc::conflict},
    {"40002", errc::constraint_violation},
    {"40003", errc::commit_in_doubt},
    {"42", errc::invalid_statement},
    {"42501", errc::not_allowed},
    {"42804", errc::parameter_mismatch},
    {"42P08", errc::parameter_mismatch},
    {"42P18", errc::parameter_mismatch},
    {"44", errc::constraint_violation},  // with check option
    {"53", errc::unavailable},
    {"53100", errc::disk_full},
    {"54", errc::too_large},
    {"55000", errc::not_allowed},
    {"55006", errc::conflict},
    {"55P03", errc::conflict},
    {"57014", errc::execution_timeout},  // statement_timeout, or pg_cancel_backend()
    {"57P01", errc::connection_lost},
    {"57P02", errc::connection_lost},
    {"57P03", errc::unavailable},  // starting up, shutting down
    {"57P04", errc::unavailable},  // the database was dropped
    {"57P05", errc::connection_lost},
    {"58", errc::io_error},
    {"72", errc::conflict},  // snapshot too old
    {"XX001", errc::corrupt},
    {"XX002", errc::corrupt},
};

/// Whether the server says that it will not hold so many bytes. A length that was read from a
/// damaged row is negative, which it prints as one of 20 digits.
bool is_too_large(std::string_view message) noexcept {
  constexpr std::string_view words = "invalid memory alloc request size ";
  constexpr std::size_t most_digits = 18;
  return message.starts_with(words) && message.size() <= words.size() + most_digits;
}

}  // namespace

errc errc_of(std::string_view sqlstate, std::string_view message) noexcept {
  if (sqlstate == "XX000" && is_too_large(message)) return errc::too_large;
  const rule* best = nullptr;
  for (const auto& r : rules) {
    if (!sqlstate.starts_with(r.prefix)) continue;
    if (best == nullptr || r.prefix.size() > best->prefix.size()) best = &r;
  }
  return best == nullptr ? errc::backend_error : best->meaning;
}

bool is_connection_fatal(std::string_view sqlstate) noexcept {
  return sqlstate.starts_with("57P") || sqlstate.starts_with("08") || sqlstate == "25P03" ||
         sqlstate == "25P04";
}

bool is_retryable_transaction(std::string_view sqlstate) noexcept {
  return sqlstate == "40001" || sqlstate == "40P01";
}

bool is_wrong_role(std::string_view sqlstate) noexcept {
  return sqlstate == "25006";
}

}  // namespace scalekit::db::postgres
