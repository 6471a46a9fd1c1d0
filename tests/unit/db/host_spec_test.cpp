#include "db/topology/host_spec.hpp"

#include "scalekit/db/client_settings.hpp"
#include "scalekit/db/labels.hpp"
#include "support/throws_errc.hpp"

#include <doctest/doctest.h>

#include <stdexcept>
#include <string>
#include <vector>

using namespace scalekit;
using namespace std::chrono_literals;
using db::detail::apply_labels;
using db::detail::host_spec;
using db::detail::parse_hosts;

namespace {

std::vector<host_spec> three_hosts() {
  return {{.host = "10.0.0.1"}, {.host = "10.0.0.1", .port = 5433}, {.host = "::1"}};
}

std::string why_invalid(std::string_view replica_labels) {
  auto hosts = three_hosts();
  try {
    apply_labels(hosts, replica_labels);
  } catch (const std::invalid_argument& e) {
    return e.what();
  }
  return {};
}

}  // namespace

TEST_CASE("labels are names and values") {
  const db::labels wanted{{"role", "reports"}, {"region", "eu-1"}};

  CHECK(db::parse_labels("role=reports,region=eu-1") == wanted);
  CHECK(db::parse_labels(" role = reports , region=eu-1 ") == wanted);
  CHECK(db::parse_labels("  ").empty());
  CHECK(db::format_labels(wanted) == "region=eu-1,role=reports");
  for (const std::string text :
       {"role", "=x", "role=", "role=a=b", "role=a,,region=b", ",", "role=a b", "role=a;b"}) {
    CAPTURE(text);
    CHECK_ERRC(db::parse_labels(text), errc::invalid_argument);
  }
  const auto e = support::error_of([] { db::parse_labels("role=a,role=b"); });
  CHECK(support::contains(e.what(), "'role' is given twice"));
}

TEST_CASE("labels from the settings go to the hosts they name, with or without a port") {
  auto hosts = three_hosts();

  apply_labels(hosts, "10.0.0.1:region=eu; 10.0.0.1:5433:role=reports;[::1]:5432:region=us;");

  CHECK(hosts[0].labels == db::labels{{"region", "eu"}});
  CHECK(hosts[1].labels == db::labels{{"region", "eu"}, {"role", "reports"}});
  CHECK(hosts[2].labels == db::labels{{"region", "us"}});
}

TEST_CASE("hosts of the settings have ports and labels of their own") {
  const auto hosts = parse_hosts({"10.0.0.1", "10.0.0.2:5433", "10.0.0.1:5433:region=eu",
                                  "[::1]:5434:role=reports,region=us", "[::2]", "[::3]:region=eu",
                                  "/run/postgresql:5432", "db-1.example:region=eu"});

  REQUIRE(hosts);
  std::vector<std::string> places, labelled;
  for (const auto& host : *hosts) {
    places.push_back(to_string(host));
    labelled.push_back(db::format_labels(host.labels));
  }
  CHECK(places == std::vector<std::string>{"10.0.0.1:5432", "10.0.0.2:5433", "10.0.0.1:5433",
                                           "[::1]:5434", "[::2]:5432", "[::3]:5432",
                                           "/run/postgresql:5432", "db-1.example:5432"});
  CHECK(labelled == std::vector<std::string>{"", "", "region=eu", "region=us,role=reports", "",
                                             "region=eu", "", "region=eu"});
}

TEST_CASE("hosts of the settings that cannot be read, or are there twice, are refused") {
  const std::string legal =
      "; legal: host[:port][:name=value,...] with IPv6 as [::1] and ports 1 to 65535, each place "
      "once";
  for (const std::string text : {"",
                                 ":5432",
                                 "a:0",
                                 "a:65536",
                                 "a:-1",
                                 "a:x",
                                 "a:",
                                 "a:5432:",
                                 "a:5432:5433",
                                 "::1",
                                 "[::1",
                                 "[]",
                                 "[::1]5432",
                                 "[::1]x:5432",
                                 "a,b",
                                 "a b",
                                 " a",
                                 "a=b",
                                 "role=reports",
                                 "a:role",
                                 "a:role=",
                                 "a:role=b,role=c",
                                 "a:role=b:5432",
                                 "postgresql://a"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_hosts({text}));
    CHECK_THROWS_WITH_AS(db::client_settings().validate({.topology = {.hosts = {text}}}),
                         ("client_params.hosts is " + text + legal).c_str(), std::invalid_argument);
  }
  CHECK_FALSE(parse_hosts({"a", "b", "a:5432"}));
  CHECK_FALSE(parse_hosts({"a:region=eu", "a:region=us"}));
  CHECK(parse_hosts({"a", "a:5433"}));
}

TEST_CASE("labels of hosts that cannot be read, or for no host of the URL, are refused") {
  CHECK(support::contains(why_invalid("10.0.0.1"), "replica_labels is '10.0.0.1'"));
  CHECK(support::contains(why_invalid("role=reports"), "replica_labels is 'role=reports'"));
  CHECK(support::contains(why_invalid("10.0.0.1:role"), "replica_labels"));
  CHECK(support::contains(why_invalid("10.0.0.1:role=a b"), "'role=a b'"));
  CHECK(support::contains(why_invalid("10.0.0.2:role=reports"), "for '10.0.0.2'"));
  CHECK(support::contains(why_invalid("10.0.0.1:5434:role=reports"), "for '10.0.0.1:5434'"));
  CHECK(why_invalid("").empty());
}

TEST_CASE("hosts are shown as one would write them") {
  CHECK(to_string(host_spec{.host = "db1"}) == "db1:5432");
  CHECK(to_string(host_spec{.host = "::1", .port = 5433}) == "[::1]:5433");
  CHECK(to_string(host_spec{.host = "/run/postgresql"}) == "/run/postgresql:5432");
}

TEST_CASE("the settings of the topology stand beside the client's") {
  db::client_params params;
  settings_origins origins;

  db::client_settings().set_from_query(params,
                                       "monitor_interval=200ms&evidence_lease=1s&max_replica_lag=2s"
                                       "&catch_up_wait=0&slow_start=0&region=eu",
                                       "the db URL", origins);

  CHECK(params.topology.monitor_interval == 200ms);
  CHECK(params.topology.evidence_lease == 1s);
  CHECK(params.topology.max_replica_lag == 2s);
  CHECK(params.topology.catch_up_wait == 0s);
  CHECK(params.topology.slow_start == 0s);
  CHECK(params.topology.region == "eu");
  db::client_settings().validate(params);
  CHECK_THROWS_AS(db::client_settings().validate({.topology = {.monitor_interval = 1ms}}),
                  std::invalid_argument);
}
