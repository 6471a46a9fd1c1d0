// A resolver that does not answer: the C library can neither be told to stop nor how long to try.
// And one that names an address at which nobody answers.

#include "scalekit/db.hpp"
#include "scalekit/db/listener.hpp"
#include "support/event_log.hpp"
#include "support/postgres/cluster.hpp"
#include "support/throws_errc.hpp"
#include "support/wait_until.hpp"

#include <boost/asio/use_future.hpp>
#include <doctest/doctest.h>

#include <arpa/inet.h>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <dlfcn.h>
#include <future>
#include <memory>
#include <mutex>
#include <netdb.h>
#include <netinet/in.h>
#include <optional>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace {

/// Whoever asks for a name that begins with "hangs." waits while it is silent, and is then told
/// that it is 127.0.0.1.
class name_server {
 public:
  void be_silent() {
    const std::lock_guard lock(mutex_);
    silent_ = true;
  }
  void answer() {
    {
      const std::lock_guard lock(mutex_);
      silent_ = false;
    }
    changed_.notify_all();
  }
  void wait_for_answer() {
    std::unique_lock lock(mutex_);
    ++asking_;
    ++asked_;
    changed_.wait(lock, [this] { return !silent_; });
    --asking_;
  }
  /// How many wait for an answer.
  int asking() const {
    const std::lock_guard lock(mutex_);
    return asking_;
  }
  /// How often it was asked.
  int asked() const {
    const std::lock_guard lock(mutex_);
    return asked_;
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool silent_ = false;
  int asking_ = 0;
  int asked_ = 0;
};

name_server& names() {
  // Never destroyed: who asked may outlive the tests.
  static auto& all = *new name_server;
  return all;
}

}  // namespace

// In place of the C library's, which does the work for all other names but "two.invalid", which has
// two addresses, and at the first nobody answers.
extern "C" int getaddrinfo(const char* name, const char* service, const addrinfo* hints,
                           addrinfo** found) {
  static const auto real =
      reinterpret_cast<decltype(&getaddrinfo)>(::dlsym(RTLD_NEXT, "getaddrinfo"));
  if (name != nullptr && std::string_view(name) == "two.invalid") {
    const int failed = real("127.0.0.2", service, hints, found);
    return failed != 0 ? failed : real("127.0.0.1", service, hints, &(*found)->ai_next);
  }
  if (name == nullptr || !std::string_view(name).starts_with("hangs.")) {
    return real(name, service, hints, found);
  }
  names().wait_for_answer();
  return real("127.0.0.1", service, hints, found);
}

namespace db = scalekit::db;
using namespace std::chrono_literals;
using boost::asio::use_future;
using scalekit::errc;
using scalekit::db::sql;
using support::contains;
using support::error_of;
using support::event_log;
using support::wait_until;
using support::postgres::cluster;
using support::postgres::server;

namespace {

constexpr const char* hanging = "hangs.invalid";

/// For as long as it lives nobody is told where "hangs.invalid" is.
class silence {
 public:
  silence() { names().be_silent(); }
  ~silence() { end(); }
  silence(const silence&) = delete;
  silence& operator=(const silence&) = delete;

  /// Once all who asked have gone.
  void end() {
    names().answer();
    CHECK(wait_until([] { return names().asking() == 0; }));
  }
};

cluster& shared_cluster() {
  static cluster running({.replicas = 1});
  return running;
}

std::string url_of(const std::string& hosts) {
  return "postgresql://postgres@" + hosts + "/postgres";
}

/// At the port of the primary, but for its name.
std::string nowhere() {
  return url_of(std::string(hanging) + ":" + std::to_string(shared_cluster().primary().port()));
}

/// The primary, its replica, and one that nobody knows where it is.
std::string one_nowhere() {
  auto url = shared_cluster().url();
  return url.insert(url.find('@') + 1, std::string(hanging) + ":5432,");
}

db::client_params patient() {
  db::client_params params{.statement_timeout = 60s, .acquire_timeout = 60s};
  params.topology = {.monitor_interval = 100ms, .evidence_lease = 2s, .slow_start = 0ms};
  return params;
}

std::int64_t port_of_read(db::client& client) {
  return client.read_one<std::int64_t>(sql("select inet_server_port()::bigint"));
}

/// What becomes of `what`, which does not block while the resolver is silent.
template <class What>
void ends_meanwhile(What what) {
  auto end = std::async(std::launch::async, std::move(what));
  const bool ended = end.wait_for(support::long_patience) == std::future_status::ready;
  CHECK(ended);
  if (!ended) names().answer();
  end.get();
}

}  // namespace

TEST_CASE("a call to a host whose name is not resolved ends in its time, and names the host") {
  auto client = db::client::open(nowhere());
  const silence quiet;
  const auto query = sql("select 1");
  const auto is_told = [&](const scalekit::error& e) {
    CHECK(scalekit::is_timeout(e));
    CHECK(contains(e.what(), hanging));
    CHECK(contains(e.what(), "being opened"));
  };

  ends_meanwhile([&] {
    is_told(error_of([&] { client.read<int>(query, {.timeout = 200ms}); }));
    is_told(error_of([&] { client.write(query, {.timeout = 200ms}); }));
    is_told(error_of([&] { client.begin({.timeout = 200ms}); }));
    is_told(error_of([&] { client.async_read<int>(query, {.timeout = 200ms}, use_future).get(); }));
  });

  CHECK(client.statistics().hosts.front().pool.dialing > 0);
  CHECK(client.statistics().hosts.front().pool.dial_failures == 0);
}

TEST_CASE("a name that is not resolved within create_timeout is said to be, and asked for once") {
  std::optional<silence> quiet(std::in_place);
  const auto before = names().asked();
  event_log events;
  auto client =
      db::client::open(nowhere(), {.statement_timeout = 60s,
                                   .acquire_timeout = 60s,
                                   .pool = {.create_timeout = 50ms, .create_retry_interval = 1ms},
                                   .log = events.sink()});

  // Three failures in a row.
  scalekit::error e;
  ends_meanwhile([&] { e = error_of([&] { client.read<int>(sql("select 1")); }); });

  CHECK(e.code() == errc::unavailable);
  CHECK(contains(e.what(), hanging));
  CHECK(contains(e.what(), "resolver"));
  CHECK(contains(events.last("db.pool.dial_failed"), hanging));
  // The others wait for the same answer.
  CHECK(names().asked() - before == 1);
  CHECK(names().asking() == 1);

  quiet.reset();

  // A busy machine may take longer for a login than that one waits.
  auto patient_one = db::client::open(nowhere(), {.acquire_timeout = 60s});
  CHECK(wait_until([&] {
    try {
      return port_of_read(patient_one) == shared_cluster().primary().port();
    } catch (const scalekit::error&) {
      return false;
    }
  }));
}

TEST_CASE("an answer of the resolver that comes late is used by who still waits for it") {
  std::optional<silence> quiet(std::in_place);
  auto client = db::client::open(nowhere(), {.statement_timeout = 60s, .acquire_timeout = 60s});
  auto read = client.async_read<std::int64_t>(sql("select inet_server_port()::bigint"), use_future);
  REQUIRE(wait_until([] { return names().asking() > 0; }));

  quiet.reset();

  CHECK(read.get().at(0) == shared_cluster().primary().port());
}

TEST_CASE("of two addresses of a name the second is tried when the first does not answer") {
  const auto port = shared_cluster().primary().port();
  // The system accepts, and nobody says anything.
  const int deaf = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_port = htons(port);
  REQUIRE(::inet_pton(AF_INET, "127.0.0.2", &at.sin_addr) == 1);
  REQUIRE(::bind(deaf, reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0);
  REQUIRE(::listen(deaf, 100) == 0);
  auto params = patient();
  params.pool.create_timeout = 4s;

  auto client = db::client::open(url_of("two.invalid:" + std::to_string(port)), params);

  CHECK(port_of_read(client) == port);
  client.close();
  ::close(deaf);
}

TEST_CASE("while the name of one host is not resolved the others serve reads and writes") {
  auto& of = shared_cluster();
  of.primary().exec("create table served (n int primary key)");
  of.wait_until_caught_up();
  auto client = db::client::open(one_nowhere(), patient());
  const silence quiet;
  const auto hosts = [&] { return client.statistics().hosts; };

  ends_meanwhile([&] {
    client.write(sql("insert into served values (1)"));
    client.transaction([](db::transaction& tx) { tx.write(sql("insert into served values (2)")); });
    CHECK(client.read_one<int>(sql("select count(*)::int from served")) == 2);
    CHECK(wait_until([&] { return port_of_read(client) == of.node(1).port(); }));
  });

  CHECK(wait_until([&] { return contains(hosts()[0].state, "unreachable"); }));
  CHECK(contains(hosts()[0].state, hanging));
  CHECK(contains(hosts()[0].state, "resolver"));
  CHECK(hosts()[1].role == db::host_role::primary);
  CHECK(hosts()[2].role == db::host_role::replica);
  CHECK(names().asking() == 1);
}

TEST_CASE("a host whose name is resolved at last is one among the others") {
  std::optional<silence> quiet(std::in_place);
  auto& of = shared_cluster();
  // Both of them by a name, of which there are no two answers.
  const auto port_of = [&](std::size_t i) { return std::to_string(of.node(i).port()); };
  auto client = db::client::open(
      url_of("127.0.0.1:" + port_of(0) + ",hangs.for.a.while:" + port_of(1)), patient());
  ends_meanwhile([&] { CHECK(port_of_read(client) == of.primary().port()); });

  quiet.reset();

  CHECK(wait_until([&] { return port_of_read(client) == of.node(1).port(); }));
}

namespace {

/// Clients that know no address of theirs, or one too few.
std::vector<db::client> clients_in_silence() {
  auto sharing = patient();
  sharing.pool.fleet_budget = true;
  std::vector<db::client> all;
  all.push_back(db::client::open(nowhere(), patient()));
  all.push_back(db::client::open(one_nowhere(), patient()));
  all.push_back(db::client::open(url_of("hangs.one,hangs.two"), patient()));
  all.push_back(db::client::open(nowhere(), sharing));
  return all;
}

}  // namespace

TEST_CASE("who closes a client does not wait for the resolver, and neither do its calls") {
  auto clients = clients_in_silence();
  const silence quiet;
  for (auto& client : clients) {
    const auto before = names().asked();
    auto read = client.async_read<int>(sql("select 1"), use_future);
    REQUIRE(wait_until([&] { return names().asked() > before; }));

    ends_meanwhile([&] {
      client.close(0ms);
      try {
        read.get();
      } catch (const scalekit::error& e) {
        CHECK(e.code() == errc::closed);
      }
    });

    CHECK_ERRC(client.write(sql("select 1")), errc::closed);
  }
}

TEST_CASE("neither does who ends a client that was not closed") {
  auto clients = clients_in_silence();
  const silence quiet;
  for (auto& client : clients) {
    const auto before = names().asked();
    // It may be served by the host that is known.
    try {
      client.read<int>(sql("select 1"), {.timeout = 200ms});
    } catch (const scalekit::error&) {
    }
    REQUIRE(wait_until([&] { return names().asked() > before; }));

    ends_meanwhile([&client] { const db::client last = std::move(client); });
  }
}

TEST_CASE("who closes a listener does not wait for the resolver") {
  const silence quiet;
  std::atomic<bool> heard{false};
  auto listener = std::make_unique<db::listener>(
      nowhere(),
      db::listener_params{.channels = {"jobs"},
                          .on_notification = [&](const db::notification&) { heard = true; },
                          .on_resync = [&] { heard = true; }});
  REQUIRE(wait_until([] { return names().asking() > 0; }));

  ends_meanwhile([&] { listener->close(); });
  ends_meanwhile([&] { listener.reset(); });

  CHECK_FALSE(heard);
}
