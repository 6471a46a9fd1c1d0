#include "postgres/server.hpp"

#include "postgres/statements.hpp"
#include "support/postgres/installation.hpp"
#include "support/postgres/process.hpp"
#include "support/temp_directory.hpp"

#include <algorithm>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace bench::postgres {

namespace fixture = support::postgres;

namespace {

std::vector<std::string> pgbench(const fixture::server& on) {
  return {fixture::program("pgbench"), "-h", on.socket_dir(), "-p",
          std::to_string(on.port()),   "-U", "postgres"};
}

double transactions_per_second(std::vector<std::string> command) {
  const support::temp_directory room;
  const auto output = room.file("output");
  command.emplace_back("postgres");
  const auto child = fixture::spawn(
      {.command = command, .output = output, .input = -1, .as_server_account = false});
  const auto status = fixture::wait_for_exit(child, support::long_patience);
  const auto said = fixture::tail_of(output);
  const auto at = said.rfind("tps = ");
  if (!status || *status != 0 || at == std::string::npos) {
    throw std::runtime_error("pgbench failed: " + said);
  }
  return std::stod(said.substr(at + 6));
}

}  // namespace

fixture::server& server::running() {
  if (running_) return *running_;
  auto made = std::make_unique<fixture::server>(fixture::server_params{
      .max_connections = 150,
      .fsync = true,
      // No checkpoint falls into a run.
      .more = {
          {"shared_buffers", "512MB"}, {"max_wal_size", "4GB"}, {"checkpoint_timeout", "15min"}}});
  auto command = pgbench(*made);
  command.insert(command.end(), {"-i", "-q", "-s", "20", "postgres"});
  fixture::run(command, false);
  made->exec("checkpoint");
  made->query_one("select sum(abalance) from pgbench_accounts");
  running_ = std::move(made);
  return *running_;
}

double server::best_pgbench(script what, std::initializer_list<int> connections) {
  const support::temp_directory room;
  const auto file = room.file("script.sql");
  std::ofstream(file) << "\\set aid random(1, " << account_count << ")\n"
                      << (what == script::select ? select_for_pgbench : update_for_pgbench) << "\n";
  double best = 0;
  for (const int c : connections) {
    auto command = pgbench(running());
    command.insert(command.end(), {"-n", "-M", "prepared", "-j", "2", "-T", "1", "-c",
                                   std::to_string(c), "-f", file});
    best = std::max(best, transactions_per_second(std::move(command)));
  }
  return best;
}

}  // namespace bench::postgres
