#include "support/postgres/server.hpp"

#include "support/postgres/admin.hpp"
#include "support/postgres/installation.hpp"
#include "support/postgres/process.hpp"

#include <csignal>
#include <stdexcept>

namespace support::postgres {
namespace {

std::string percent_encoded(const std::string& text) {
  static constexpr char digits[] = "0123456789ABCDEF";
  std::string result;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0) {
      result += c;
    } else {
      result += {'%', digits[byte >> 4], digits[byte & 15]};
    }
  }
  return result;
}

}  // namespace

server::server(server_params params, empty_directory)
    : params_(std::move(params)), settings_(basic_settings()) {
  if (params_.tls) make_certificate();
}

server::server(server_params params) : server(std::move(params), empty_directory{}) {
  create_data_directory(data_dir(), params_.own_identity);
  write_access_rules();
  start();
  if (!params_.password.empty()) {
    exec("alter role postgres password " + quoted_literal(params_.password));
  }
}

std::unique_ptr<server> server::standby_of(const server& primary, server_params params) {
  params.password = primary.params_.password;
  std::unique_ptr<server> made(new server(std::move(params), empty_directory{}));
  made->become_standby_of(primary);
  return made;
}

server::~server() {
  if (!directory_.is_mine()) return;
  try {
    stop(stop_mode::immediate);
  } catch (const std::exception&) {
    // stop() has killed it.
  }
  remove_shared_memory();
}

std::string server::url(const std::string& database) const {
  const auto secret = params_.password.empty() ? "" : ":" + percent_encoded(params_.password);
  return "postgresql://postgres" + secret + "@127.0.0.1:" + std::to_string(port()) + "/" +
         percent_encoded(database);
}

std::string server::socket_url(const std::string& database) const {
  return "postgresql://postgres@/" + percent_encoded(database) +
         "?host=" + percent_encoded(socket_dir().string()) + "&port=" + std::to_string(port());
}

std::string server::log_tail() const {
  return tail_of(directory_ / "log");
}

void server::exec(const std::string& sql, const std::string& database,
                  std::chrono::milliseconds patience) const {
  run_sql(socket_url(database), sql, patience);
}

std::string server::query_one(const std::string& sql, const std::string& database,
                              std::chrono::milliseconds patience) const {
  return run_sql(socket_url(database), sql, patience).value_or("");
}

bool server::wait_for(const std::string& query, const std::string& wanted) const {
  return wait_until([&] {
    try {
      return query_one(query) == wanted;
    } catch (const std::runtime_error&) {
      return false;
    }
  });
}

std::string server::create_database(const std::string& name, const std::string& from) const {
  exec("create database " + quoted_name(name) + " template " + quoted_name(from));
  return url(name);
}

int server::terminate_backends(const std::string& where) const {
  return std::stoi(
      query_one("select count(*) filter (where pg_terminate_backend(pid)) from pg_stat_activity"
                " where backend_type = 'client backend' and pid <> pg_backend_pid() and (" +
                where + ")"));
}

void server::start() {
  if (pid_ > 0) return;
  write_configuration();
  pid_ = spawn({.command = command(), .output = directory_ / "log"});
  directory_.watch(pid_);
  const bool ready = wait_until([&] { return !is_running() || answers(); });
  if (!ready || pid_ <= 0) {
    kill9();
    fail("PostgreSQL did not start");
  }
}

bool server::is_running() {
  if (pid_ > 0 && wait_for_exit(pid_, std::chrono::milliseconds(0))) {
    directory_.watch(0);
    pid_ = -1;
  }
  return pid_ > 0;
}

void server::stop(stop_mode mode) {
  if (pid_ <= 0) return;
  thaw();
  ::kill(pid_, mode == stop_mode::fast ? SIGINT : SIGQUIT);
  if (!wait_for_exit(pid_, long_patience)) {
    kill9();
    fail("PostgreSQL did not stop");
  }
  directory_.watch(0);
  pid_ = -1;
}

void server::restart(stop_mode mode) {
  stop(mode);
  start();
}

void server::kill9() {
  if (pid_ <= 0) return;
  kill_family(pid_);
  wait_for_exit(pid_, long_patience);
  directory_.watch(0);
  pid_ = -1;
}

void server::freeze() {
  if (pid_ > 0) stop_family(pid_);
}

void server::thaw() {
  if (pid_ > 0) continue_family(pid_);
}

void server::promote() {
  query_one("select pg_promote()");
  if (!wait_for("select pg_is_in_recovery()", "f")) fail("PostgreSQL was not promoted");
}

void server::become_standby_of(const server& primary) {
  kill9();
  std::filesystem::remove_all(data_dir());
  run({program("pg_basebackup"), "-d", primary.socket_url(), "-D", data_dir(), "-X", "stream", "-c",
       "fast", "--no-sync"});
  write_access_rules();
  mark_as_standby();
  settings_["primary_conninfo"] = primary.socket_url();
  start();
}

void server::follow(const std::string& upstream) {
  reload({{"primary_conninfo", upstream}});
}

void server::configure(const settings& changes) {
  for (const auto& [name, value] : changes) settings_[name] = value;
  write_configuration();
}

void server::reload(const settings& changes) {
  const auto before = query_one("select pg_conf_load_time()");
  configure(changes);
  ::kill(pid_, SIGHUP);
  if (!wait_for("select pg_conf_load_time() > " + quoted_literal(before), "t")) {
    fail("PostgreSQL did not read its settings again");
  }
}

bool server::answers() const {
  try {
    return run_sql(socket_url(), "select 1", std::chrono::seconds(5)) == "1";
  } catch (const std::runtime_error&) {
    return false;
  }
}

void server::fail(const std::string& what) const {
  throw std::runtime_error(what + "; its log ends with:\n" + log_tail());
}

}  // namespace support::postgres
