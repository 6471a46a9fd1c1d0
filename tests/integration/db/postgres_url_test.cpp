// Where servers are, by URL, service file, password file and environment.

#include "db/postgres/settings.hpp"
#include "postgres_fixture.hpp"
#include "support/temp_directory.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace postgres_test;
using scalekit::db::postgres::settings_from_url;
using support::contains;

namespace {

/// Set for as long as it lives.
class variable {
 public:
  variable(const char* name, const std::string& value) : name_(name) {
    setenv(name, value.c_str(), 1);
  }
  ~variable() { unsetenv(name_); }
  variable(const variable&) = delete;
  variable& operator=(const variable&) = delete;

 private:
  const char* name_;
};

/// A service file with the service "shop".
class service_file {
 public:
  explicit service_file(const std::string& lines) {
    std::ofstream(directory_.file("services")) << "[shop]\n" << lines;
  }
  const support::temp_directory& directory() const noexcept { return directory_; }

 private:
  support::temp_directory directory_;
  variable name_{"PGSERVICEFILE", directory_.file("services")};
};

std::vector<std::string> servers_of(const std::string& url, std::vector<std::string> hosts = {}) {
  std::vector<std::string> names;
  const auto s = settings_from_url(url, {.topology = {.hosts = std::move(hosts)}});
  for (const auto& server : s.servers) names.push_back(server.name);
  return names;
}

std::string refusal_of(const std::string& url, std::vector<std::string> hosts = {}) {
  try {
    servers_of(url, std::move(hosts));
  } catch (const std::invalid_argument& e) {
    return e.what();
  }
  return "none";
}

}  // namespace

TEST_CASE("hosts are those of the URL, else of the service, else of the environment") {
  using list = std::vector<std::string>;
  const service_file services("host=a,b\nport=1,2\n");
  CHECK(servers_of("postgresql:///d") == list{"local:5432"});

  const variable host("PGHOST", "e,f");

  CHECK(servers_of("postgresql://h/d") == list{"h:5432"});
  CHECK(servers_of("postgresql:///d") == list{"e:5432", "f:5432"});
  CHECK(servers_of("postgresql:///d?port=7") == list{"e:7", "f:7"});
  CHECK(servers_of("postgresql:///d?service=shop") == list{"a:1", "b:2"});
  // To libpq a list of hosts without ports is one of ports that are the default.
  CHECK(servers_of("postgresql://x,y/d?service=shop") == list{"x:5432", "y:5432"});
  CHECK(servers_of("postgresql:///d?service=shop&port=3") == list{"a:3", "b:3"});
  CHECK(servers_of("postgresql:///d?hostaddr=10.0.0.1,10.0.0.2") == list{"e:5432", "f:5432"});
  const variable port("PGPORT", "9");
  CHECK(servers_of("postgresql://h/d") == list{"h:9"});
}

TEST_CASE("hosts of the settings go before those of the service and the environment") {
  using list = std::vector<std::string>;
  const service_file services("host=a,b\nport=1,2\nuser=u\n");
  const variable host("PGHOST", "e,f");
  const variable port("PGPORT", "9");

  CHECK(servers_of("postgresql:///d", {"x", "y:7"}) == list{"x:5432", "y:7"});
  CHECK(servers_of("postgresql://u@/d?service=shop", {"x"}) == list{"x:5432"});
  CHECK(servers_of("postgresql:///d?hosts=x;[::1]:7") == list{"x:5432", "::1:7"});
}

TEST_CASE("hosts of the settings have their labels, and replica_labels add to them") {
  const auto s = settings_from_url("postgresql:///d",
                                   {.topology = {.hosts = {"x", "x:7:region=eu", "y:role=reports"},
                                                 .replica_labels = "x:zone=1;y:role=backup"}});

  REQUIRE(s.servers.size() == 3);
  CHECK(s.servers[0].where.labels == db::labels{{"zone", "1"}});
  CHECK(s.servers[1].where.labels == db::labels{{"region", "eu"}, {"zone", "1"}});
  CHECK(s.servers[2].where.labels == db::labels{{"role", "backup"}});
}

TEST_CASE("hosts in the URL and in the settings are refused, naming both") {
  CHECK(refusal_of("postgresql://u:hidden@a,b/d", {"x", "[::1]:7"}) ==
        "topology_params.hosts is x:5432,[::1]:7; legal: empty, because the db URL has host=a,b");
  CHECK(refusal_of("postgresql:///d?host=a&hosts=x") ==
        "topology_params.hosts is x:5432; legal: empty, because the db URL has host=a");
  CHECK(refusal_of("postgresql:///d?hostaddr=10.0.0.1", {"x"}) ==
        "topology_params.hosts is x:5432; legal: empty, because the db URL has hostaddr=10.0.0.1");
  CHECK(refusal_of("postgresql:///d?port=6000", {"x"}) ==
        "topology_params.hosts is x:5432; legal: empty, because the db URL has port=6000");
}

TEST_CASE("a service that is not there is told when the client is opened") {
  const service_file services("host=a\n");

  CHECK(contains(refusal_of("postgresql://u:hidden@/d?service=nowhere"), "\"nowhere\" not found"));
  CHECK_FALSE(contains(refusal_of("postgresql://u:hidden@/d?service=nowhere"), "hidden"));
  CHECK(contains(refusal_of("postgresql://a,b/d?port=1,2,3"), "as many ports"));
}

TEST_CASE("a service and a password file lead to a server and in") {
  support::postgres::server server({.password = "a:b secret"});
  const auto port = std::to_string(server.port());
  const service_file services("host=127.0.0.1\nport=" + port + "\nuser=postgres\n");
  const auto passwords = services.directory().file("passwords");
  std::ofstream(passwords) << "127.0.0.1:" << port << ":*:postgres:a\\:b secret\n";
  std::filesystem::permissions(passwords, std::filesystem::perms::owner_read);

  auto client = db::client::open("postgresql:///postgres?service=shop&passfile=" + passwords);

  CHECK(client.read_one<std::string>(sql("select current_user::text")) == "postgres");
  CHECK(client.statistics().hosts.at(0).name == "127.0.0.1:" + port);
}

TEST_CASE("one host is asked for target_session_attrs, several only where it makes sense") {
  const database d;
  const auto frozen = d.url + "&options=-c%20default_transaction_read_only%3Don";
  auto any = db::client::open(frozen);
  auto writable = db::client::open(frozen + "&target_session_attrs=read-write");

  CHECK(any.read_one<int>(sql("select 1")) == 1);
  const auto e = support::error_of([&] { writable.read_one<int>(sql("select 1")); });
  CHECK(e.code() == errc::unavailable);
  CHECK(contains(e.what(), "read-only"));
  for (const std::string fits : {"any", "read-write", "primary"}) {
    CHECK(refusal_of("postgresql://a,b/d?target_session_attrs=" + fits) == "none");
  }
  for (const std::string odd : {"read-only", "standby", "prefer-standby", "primry"}) {
    CHECK(contains(refusal_of("postgresql://a,b/d?target_session_attrs=" + odd), odd));
  }
}
