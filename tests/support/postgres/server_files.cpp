// What a server's directory holds besides the data.

#include "support/postgres/admin.hpp"
#include "support/postgres/installation.hpp"
#include "support/postgres/process.hpp"
#include "support/postgres/server.hpp"

#include <cstdlib>
#include <fstream>
#include <sys/shm.h>

namespace support::postgres {

settings server::basic_settings() const {
  const auto on_off = [](bool on) { return on ? "on" : "off"; };
  settings s{
      {"listen_addresses", "127.0.0.1"},
      {"port", std::to_string(port())},
      {"unix_socket_directories", socket_dir().string()},
      {"max_connections", std::to_string(params_.max_connections)},
      {"shared_buffers", "16MB"},
      // Files below the data directory: nothing of a killed server stays in /dev/shm.
      {"dynamic_shared_memory_type", "mmap"},
      {"fsync", on_off(params_.fsync)},
      {"full_page_writes", on_off(params_.fsync)},
      // A statement that nobody waits for any more fails, and does not fill the machine's disk.
      {"temp_file_limit", "1GB"},
      {"wal_level", "replica"},
      {"hot_standby", "on"},
      {"max_wal_senders", "8"},
      {"max_replication_slots", "8"},
      // Instead of slots: a standby may change its upstream, or come back, without bookkeeping.
      {"wal_keep_size", "256MB"},
      {"wal_receiver_status_interval", "1s"},
      {"wal_retrieve_retry_interval", "100ms"},
      {"log_line_prefix", "%m [%p] "},
      {"ssl", on_off(params_.tls)},
  };
  if (params_.tls) {
    s["ssl_cert_file"] = directory_ / "server.crt";
    s["ssl_key_file"] = directory_ / "server.key";
  }
  // The translation is LANGUAGE's, in any locale but C.
  if (!params_.language.empty()) s["lc_messages"] = "C.UTF-8";
  for (const auto& [name, value] : params_.more) s[name] = value;
  return s;
}

void server::make_certificate() const {
  run({"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
       "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
       "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", directory_ / "server.key", "-out",
       ca_file()});
  std::filesystem::permissions(directory_ / "server.key", std::filesystem::perms::owner_read);
}

std::vector<std::string> server::command() const {
  std::vector<std::string> words{"env", "LANGUAGE=" + params_.language, program("postgres"), "-D",
                                 data_dir()};
  if (!params_.disk_can_fill) return words;
  // Where the server's account can read it.
  const auto library = directory_ / "full_disk.so";
  std::filesystem::copy_file(SCALEKIT_TEST_FULL_DISK, library,
                             std::filesystem::copy_options::skip_existing);
  const std::vector<std::string> with_it{"LD_PRELOAD=" + library.string(),
                                         "SCALEKIT_FULL_DISK=" + full_part().string()};
  words.insert(words.begin() + 1, with_it.begin(), with_it.end());
  return words;
}

void server::fill_disk(const std::string& part) const {
  std::filesystem::create_symlink(std::filesystem::canonical(data_dir() / part), full_part());
}

void server::free_disk() const {
  std::filesystem::remove(full_part());
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

void server::mark_as_standby() const {
  const auto signal = data_dir() / "standby.signal";
  std::ofstream{signal};
  give_to_server_account(signal);
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

}  // namespace support::postgres
