#include "scalekit/core/error.hpp"

#include "scalekit/core/result.hpp"

#include <doctest/doctest.h>

#include <array>
#include <set>
#include <stdexcept>
#include <string>
#include <type_traits>

using scalekit::diagnostics;
using scalekit::errc;
using scalekit::error;

namespace {

constexpr int first = static_cast<int>(errc::closed);
constexpr int last = static_cast<int>(errc::write_lost);

}  // namespace

static_assert(std::is_nothrow_copy_constructible_v<error>);

TEST_CASE("each code has a message of its own") {
  std::set<std::string> messages;

  for (int value = first; value <= last; ++value) {
    messages.insert(scalekit::error_category().message(value));
  }

  CHECK(messages.size() == static_cast<std::size_t>(last - first + 1));
  CHECK_FALSE(messages.contains("unknown scalekit error"));
  CHECK(scalekit::error_category().message(9999) == "unknown scalekit error");
  CHECK(std::string(scalekit::error_category().name()) == "scalekit");
}

TEST_CASE("what() tells what failed, where, and what the backend said") {
  const error full(make_error_code(errc::constraint_violation),
                   {.client_message = "insert into product failed",
                    .server_message = "UNIQUE constraint failed: product.id",
                    .backend_code = "1555",
                    .origin = "/var/lib/shop.db"});
  const error short_one(errc::shed, "writer queue is full: 1000 wait");
  const error bare(make_error_code(errc::closed), {});

  CHECK(std::string(full.what()) ==
        "insert into product failed; at /var/lib/shop.db; backend code 1555; "
        "backend said: UNIQUE constraint failed: product.id: constraint violation [scalekit:" +
            std::to_string(static_cast<int>(errc::constraint_violation)) + "]");
  CHECK(std::string(short_one.what()).starts_with("writer queue is full: 1000 wait: shed by"));
  CHECK(std::string(bare.what()).starts_with("closed"));
}

TEST_CASE("predicates decide on the code") {
  struct row {
    errc code;
    bool transient;
    bool fatal;
    bool unknown;
    bool timeout;
  };
  const std::array rows{
      row{errc::closed, false, true, false, false},
      row{errc::forked, false, true, false, false},
      row{errc::cancelled, false, false, false, false},
      row{errc::acquire_timeout, true, false, false, true},
      row{errc::execution_timeout, true, false, false, true},
      row{errc::shed, true, false, false, false},
      row{errc::breaker_open, true, false, false, false},
      row{errc::invalid_argument, false, false, false, false},
      row{errc::invalid_statement, false, false, false, false},
      row{errc::parameter_mismatch, false, false, false, false},
      row{errc::column_mismatch, false, false, false, false},
      row{errc::value_out_of_range, false, false, false, false},
      row{errc::too_large, false, false, false, false},
      row{errc::not_found, false, false, false, false},
      row{errc::not_allowed, false, false, false, false},
      row{errc::not_supported, false, false, false, false},
      row{errc::constraint_violation, false, false, false, false},
      row{errc::conflict, true, false, false, false},
      row{errc::read_only, false, false, false, false},
      row{errc::disk_full, false, false, false, false},
      row{errc::corrupt, false, true, false, false},
      row{errc::unavailable, true, false, false, false},
      row{errc::connection_lost, true, true, false, false},
      row{errc::io_error, false, false, false, false},
      row{errc::backend_error, false, false, false, false},
      row{errc::commit_in_doubt, false, true, true, false},
      row{errc::lease_lost, false, false, false, false},
      row{errc::write_lost, false, false, false, false},
  };
  static_assert(rows.size() == last - first + 1);

  for (const auto& r : rows) {
    CAPTURE(make_error_code(r.code).message());
    CHECK(scalekit::is_transient(make_error_code(r.code)) == r.transient);
    CHECK(scalekit::is_fatal(make_error_code(r.code)) == r.fatal);
    CHECK(scalekit::outcome_unknown(make_error_code(r.code)) == r.unknown);
    CHECK(scalekit::is_timeout(make_error_code(r.code)) == r.timeout);
  }
}

TEST_CASE("predicates take the error itself too") {
  const error lost(errc::connection_lost, "reset by peer");

  CHECK(is_transient(lost));
  CHECK(is_fatal(lost));
  CHECK_FALSE(outcome_unknown(lost));
  CHECK_FALSE(is_timeout(lost));
}

TEST_CASE("codes of another category are nothing we know") {
  const boost::system::error_code foreign(static_cast<int>(errc::conflict),
                                          boost::system::generic_category());

  CHECK_FALSE(scalekit::is_transient(foreign));
  CHECK_FALSE(scalekit::is_fatal(foreign));
  CHECK_FALSE(scalekit::outcome_unknown(foreign));
  CHECK_FALSE(scalekit::is_timeout(foreign));
}

TEST_CASE("codes compare equal to the portable conditions they mean") {
  namespace be = boost::system::errc;

  CHECK(make_error_code(errc::cancelled) == be::operation_canceled);
  CHECK(make_error_code(errc::acquire_timeout) == be::timed_out);
  CHECK(make_error_code(errc::execution_timeout) == be::timed_out);
  CHECK(make_error_code(errc::disk_full) == be::no_space_on_device);
  CHECK(make_error_code(errc::read_only) == be::read_only_file_system);
  CHECK(make_error_code(errc::closed) != be::timed_out);
}

TEST_CASE("to_error keeps ours, and wraps the rest with what it said") {
  const auto reset = make_error_code(boost::system::errc::connection_reset);
  const boost::system::system_error system(reset);

  const auto ours = scalekit::to_error(std::make_exception_ptr(error(errc::conflict, "lost")));
  const auto boosts = scalekit::to_error(std::make_exception_ptr(system));
  const auto standard = scalekit::to_error(std::make_exception_ptr(std::logic_error("broken")));
  const auto odd = scalekit::to_error(std::make_exception_ptr(42));

  CHECK(ours.code() == errc::conflict);
  CHECK(ours.diag().client_message == "lost");
  CHECK(boosts.code() == reset);
  CHECK(boosts.diag().server_message == system.what());
  CHECK(standard.code() == errc::backend_error);
  CHECK(standard.diag().server_message == "broken");
  CHECK(odd.code() == errc::backend_error);
}

TEST_CASE("a result holds a value or an error, and value() throws the error") {
  const scalekit::result<int> good(7);
  const scalekit::result<int> bad(error(errc::not_found, "no row with that id"));

  CHECK(good.value() == 7);
  CHECK_FALSE(good.error().code().failed());
  CHECK(bad.has_error());
  try {
    (void)bad.value();
    FAIL("must throw");
  } catch (const error& e) {
    CHECK(e.code() == errc::not_found);
    CHECK(e.diag().client_message == "no row with that id");
  }
}
