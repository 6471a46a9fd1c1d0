#include "db/postgres/sqlstate.hpp"

#include <doctest/doctest.h>

using namespace scalekit;
using namespace scalekit::db::postgres;

TEST_CASE("SQLSTATEs become errors a caller can decide on") {
  struct {
    const char* state;
    errc wanted;
  } table[] = {
      {"08006", errc::connection_lost},
      {"08001", errc::unavailable},
      {"0A000", errc::not_supported},
      {"22003", errc::value_out_of_range},
      {"22P02", errc::value_out_of_range},
      {"23505", errc::constraint_violation},
      {"23503", errc::constraint_violation},
      {"25006", errc::read_only},
      {"25P02", errc::not_allowed},
      {"25P03", errc::connection_lost},
      {"26000", errc::invalid_statement},
      {"42P05", errc::invalid_statement},
      {"28P01", errc::not_allowed},
      {"3D000", errc::unavailable},
      {"40001", errc::conflict},
      {"40P01", errc::conflict},
      {"55P03", errc::conflict},
      {"42601", errc::invalid_statement},
      {"42P01", errc::invalid_statement},
      {"42501", errc::not_allowed},
      {"42P18", errc::parameter_mismatch},
      {"53100", errc::disk_full},
      {"53300", errc::unavailable},
      {"53200", errc::unavailable},
      {"54000", errc::too_large},
      {"57014", errc::execution_timeout},
      {"57P01", errc::connection_lost},
      {"57P02", errc::connection_lost},
      {"57P03", errc::unavailable},
      {"58030", errc::io_error},
      {"XX001", errc::corrupt},
      {"XX002", errc::corrupt},
      {"XX000", errc::backend_error},
      {"P0001", errc::backend_error},
      {"", errc::backend_error},
  };
  for (const auto& row : table) {
    CAPTURE(row.state);
    CHECK(errc_of(row.state) == row.wanted);
  }
}

TEST_CASE("what is too large for the server at once is told from its other failures") {
  CHECK(errc_of("XX000", "invalid memory alloc request size 1073741824") == errc::too_large);
  // Of a damaged row.
  CHECK(errc_of("XX000", "invalid memory alloc request size 18446744073709551613") ==
        errc::backend_error);
  CHECK(errc_of("XX000", "cache lookup failed for type 0") == errc::backend_error);
  CHECK(errc_of("P0001", "invalid memory alloc request size") == errc::backend_error);
}

TEST_CASE("SQLSTATEs say what to do with the connection, the transaction and the host") {
  CHECK(is_connection_fatal("57P01"));
  CHECK(is_connection_fatal("57P05"));
  CHECK(is_connection_fatal("08003"));
  CHECK_FALSE(is_connection_fatal("57014"));
  CHECK_FALSE(is_connection_fatal("40001"));
  CHECK(is_retryable_transaction("40001"));
  CHECK(is_retryable_transaction("40P01"));
  CHECK_FALSE(is_retryable_transaction("40002"));
  CHECK_FALSE(is_retryable_transaction("55P03"));
  CHECK(is_wrong_role("25006"));
  CHECK_FALSE(is_wrong_role("25001"));
}
