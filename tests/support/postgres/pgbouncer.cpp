#include "support/postgres/pgbouncer.hpp"

#include "support/postgres/admin.hpp"
#include "support/postgres/installation.hpp"
#include "support/postgres/process.hpp"

#include <csignal>
#include <fstream>
#include <stdexcept>
#include <utility>

namespace support::postgres {

pgbouncer::pgbouncer(const server& target, pgbouncer_params params)
    : target_(target), params_(std::move(params)) {
  write_files();
  start();
}

pgbouncer::~pgbouncer() {
  if (directory_.is_mine()) stop();
}

std::string pgbouncer::url(const std::string& database) const {
  auto text = target_.url(database);
  const auto theirs = ":" + std::to_string(target_.port()) + "/";
  return text.replace(text.rfind(theirs), theirs.size(), ":" + std::to_string(port()) + "/");
}

std::string pgbouncer::console(const std::string& command) const {
  return run_sql(url("pgbouncer"), command).value_or("");
}

void pgbouncer::start() {
  if (pid_ > 0) return;
  const auto log = directory_ / "log";
  pid_ = spawn({.command = {pgbouncer_program(), directory_ / "pgbouncer.ini"}, .output = log});
  directory_.watch(pid_);
  bool ended = false;
  const bool ready = wait_until([&] {
    ended = wait_for_exit(pid_, std::chrono::milliseconds(0)).has_value();
    return ended || answers();
  });
  if (ready && !ended) return;
  if (ended) {
    directory_.watch(0);
    pid_ = -1;
  }
  stop();
  throw std::runtime_error("PgBouncer did not start; its log ends with:\n" + tail_of(log));
}

void pgbouncer::stop() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  wait_for_exit(pid_, long_patience);
  directory_.watch(0);
  pid_ = -1;
}

void pgbouncer::write_files() const {
  const auto users = directory_ / "users.txt";
  std::ofstream(users) << "\"postgres\" " << quoted_name(target_.password()) << "\n";
  settings s{
      {"listen_addr", "127.0.0.1"},
      {"listen_port", std::to_string(port())},
      {"unix_socket_dir", directory_.path()},
      {"auth_type", target_.password().empty() ? "trust" : "scram-sha-256"},
      {"auth_file", users},
      {"admin_users", "postgres"},
      {"pool_mode", params_.mode == pool_mode::transaction ? "transaction" : "session"},
      {"default_pool_size", std::to_string(params_.pool_size)},
      {"max_client_conn", std::to_string(params_.max_clients)},
  };
  for (const auto& [name, value] : params_.more) s[name] = value;
  std::ofstream ini(directory_ / "pgbouncer.ini");
  ini << "[databases]\n* = host=" << target_.socket_dir().string() << " port=" << target_.port()
      << "\n[pgbouncer]\n";
  for (const auto& [name, value] : s) ini << name << " = " << value << "\n";
}

bool pgbouncer::answers() const {
  try {
    return run_sql(url(), "select 1", std::chrono::seconds(5)) == "1";
  } catch (const std::runtime_error&) {
    return false;
  }
}

}  // namespace support::postgres
