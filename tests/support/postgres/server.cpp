#include "support/postgres/server.hpp"

#include "support/postgres/admin.hpp"
#include "support/postgres/installation.hpp"
#include "support/postgres/process.hpp"

#include <csignal>
#include <fstream>
#include <stdexcept>
#include <sys/shm.h>
#include <sys/wait.h>

namespace support::postgres {
namespace {

settings basic_settings(const server_params& params, std::uint16_t port,
                        const std::filesystem::path& directory) {
  const auto on_off = [](bool on) { return on ? "on" : "off"; };
  settings s{
      {"listen_addresses", "127.0.0.1"},
      {"port", std::to_string(port)},
      {"unix_socket_directories", directory.string()},
      {"max_connections", std::to_string(params.max_connections)},
      {"shared_buffers", "16MB"},
      // Files below the data directory: nothing of a killed server stays in /dev/shm.
      {"dynamic_shared_memory_type", "mmap"},
      {"fsync", on_off(params.fsync)},
      {"full_page_writes", on_off(params.fsync)},
      {"wal_level", "replica"},
      {"hot_standby", "on"},
      {"max_wal_senders", "8"},
      {"max_replication_slots", "8"},
      // Instead of slots: a standby may change its upstream, or come back, without bookkeeping.
      {"wal_keep_size", "256MB"},
      {"wal_receiver_status_interval", "1s"},
      {"wal_retrieve_retry_interval", "100ms"},
      {"log_line_prefix", "%m [%p] "},
      {"ssl", on_off(params.tls)},
  };
  if (params.tls) {
    s["ssl_cert_file"] = directory / "server.crt";
    s["ssl_key_file"] = directory / "server.key";
  }
  for (const auto& [name, value] : params.more) s[name] = value;
  return s;
}

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
    : params_(std::move(params)),
      settings_(basic_settings(params_, port_.number(), directory_.path())) {
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
  run({program("pg_basebackup"), "-d", primary.socket_url(), "-D", made->data_dir(), "-X", "stream",
       "-c", "fast", "--no-sync"});
  made->write_access_rules();
  std::ofstream(made->data_dir() / "standby.signal");
  give_to_server_account(made->data_dir() / "standby.signal");
  made->configure({{"primary_conninfo", primary.socket_url()}});
  made->start();
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
  pid_ = spawn({.command = {program("postgres"), "-D", data_dir()}, .output = directory_ / "log"});
  directory_.watch(pid_);
  bool ended = false;
  const bool ready = wait_until([&] {
    ended = wait_for_exit(pid_, std::chrono::milliseconds(0)).has_value();
    return ended || answers();
  });
  if (ended) {
    directory_.watch(0);
    pid_ = -1;
  }
  if (ended || !ready) {
    if (!ended) kill9();
    fail("PostgreSQL did not start");
  }
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

void server::make_certificate() const {
  run({"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
       "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
       "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", directory_ / "server.key", "-out",
       ca_file()});
  std::filesystem::permissions(directory_ / "server.key", std::filesystem::perms::owner_read);
}

void server::write_configuration() const {
  std::ofstream file(data_dir() / "postgresql.conf");
  for (const auto& [name, value] : settings_) {
    file << name << " = " << quoted_literal(value) << "\n";
  }
}

void server::write_access_rules() const {
  const std::string method = params_.password.empty() ? "trust" : "scram-sha-256";
  std::ofstream(data_dir() / "pg_hba.conf")
      << "local all all trust\n"
      << "local replication all trust\n"
      << "host all all 127.0.0.1/32 " << method << "\n"
      << "host replication all 127.0.0.1/32 " << method << "\n";
}

bool server::answers() const {
  try {
    return run_sql(socket_url(), "select 1", std::chrono::seconds(5)) == "1";
  } catch (const std::runtime_error&) {
    return false;
  }
}

void server::remove_shared_memory() const {
  // Only a killed server leaves its lock file; the seventh line names the System V segment.
  std::ifstream file(data_dir() / "postmaster.pid");
  std::string line;
  for (int i = 0; i < 7; ++i) std::getline(file, line);
  const auto blank = line.find_last_of(' ');
  if (!file || blank == std::string::npos) return;
  shmctl(std::atoi(line.c_str() + blank), IPC_RMID, nullptr);
}

void server::fail(const std::string& what) const {
  throw std::runtime_error(what + "; its log ends with:\n" + log_tail());
}

}  // namespace support::postgres
