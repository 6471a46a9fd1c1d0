// Regions and roles of real servers, named in the settings.

#include "postgres_topology_fixture.hpp"
#include "scalekit/db.hpp"
#include "support/postgres/cluster.hpp"
#include "support/throws_errc.hpp"
#include "support/wait_until.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>

using namespace std::chrono_literals;
using namespace scalekit;
using db::consistency;
using support::contains;
using support::wait_until;
using topology_test::patient;
using topology_test::port_of_read;
using topology_test::shared_cluster;

namespace {

/// Node 1 is in eu, as the client is; node 2 in us, for reports.
db::client in_europe(std::chrono::nanoseconds acquire_timeout = 30s) {
  auto& of = shared_cluster();
  const auto place = [&](std::size_t i) {
    return "127.0.0.1:" + std::to_string(of.node(i).port());
  };
  auto params = patient();
  params.acquire_timeout = acquire_timeout;
  params.topology.region = "eu";
  params.topology.hosts = {place(0), place(1) + ":region=eu", place(2) + ":region=us,role=reports"};
  return db::client::open("postgresql://postgres@/postgres", params);
}

std::set<std::int64_t> ports_of_reads(db::client& client, const db::labels& labels = {}) {
  std::set<std::int64_t> ports;
  for (int i = 0; i < 50; ++i) {
    ports.insert(port_of_read(client, {.consistency = consistency::any(), .labels = labels}));
  }
  return ports;
}

}  // namespace

TEST_CASE("reads go to the own region, to another while it is lost, and back") {
  auto& of = shared_cluster();
  auto client = in_europe();
  const std::set<std::int64_t> near{of.node(1).port()}, far{of.node(2).port()};

  const bool began_near = wait_until([&] { return ports_of_reads(client) == near; });
  of.node(1).kill9();
  const auto without = ports_of_reads(client);
  of.node(1).start();
  const bool is_back = wait_until([&] { return ports_of_reads(client) == near; });
  of.wait_until_caught_up();

  CHECK(began_near);
  CHECK(without == far);
  CHECK(is_back);
}

TEST_CASE("a role that is asked for goes before the region, and fails where nobody has it") {
  auto& of = shared_cluster();
  auto client = in_europe(1s);
  const db::labels reports{{"role", "reports"}};
  const std::set<std::int64_t> for_reports{of.node(2).port()};

  const bool found = wait_until([&] { return ports_of_reads(client, reports) == for_reports; });
  of.node(2).kill9();
  const auto e = support::error_of([&] { port_of_read(client, {.labels = reports}); });
  const auto others = ports_of_reads(client);
  of.node(2).start();
  const bool is_back = wait_until([&] {
    try {
      return port_of_read(client, {.labels = reports}) == of.node(2).port();
    } catch (const error&) {
      return false;
    }
  });
  of.wait_until_caught_up();

  CHECK(found);
  CHECK(e.code() == errc::unavailable);
  CHECK(contains(e.what(), "role=reports"));
  CHECK(others == std::set<std::int64_t>{of.node(1).port()});
  CHECK(is_back);
}
