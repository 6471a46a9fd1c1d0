#include "redis/server.hpp"

#include "scalekit/redis.hpp"
#include "support/postgres/process.hpp"
#include "support/temp_directory.hpp"

#include <stdexcept>
#include <utility>
#include <vector>

namespace bench::redis {

namespace {

std::string key(std::uint32_t n) {
  auto digits = std::to_string(n);
  return "key:" + std::string(12 - digits.size(), '0') + digits;
}

}  // namespace

support::redis::server& server::running() {
  if (running_) return *running_;
  auto made = std::make_unique<support::redis::server>();
  auto client = scalekit::redis::client::open(made->url());
  const std::string value(value_size, 'v');
  for (std::uint32_t n = 0; n < key_count;) {
    scalekit::redis::command set("MSET");
    for (int i = 0; i < 1000; ++i, ++n) set.add(key(n)).add(value);
    client.call<scalekit::done>(std::move(set));
  }
  running_ = std::move(made);
  return *running_;
}

double server::redis_benchmark(int connections, int pipeline) {
  const support::temp_directory room;
  const auto output = room.file("output");
  const auto child = support::postgres::spawn(
      {.command = {"redis-benchmark", "-h", "127.0.0.1", "-p", std::to_string(port()), "-c",
                   std::to_string(connections), "-P", std::to_string(pipeline), "-n", "1000000",
                   "-r", std::to_string(key_count), "--csv", "GET", "key:__rand_int__"},
       .output = output,
       .input = -1,
       .as_server_account = false});
  const auto status = support::postgres::wait_for_exit(child, support::long_patience);
  const auto said = support::postgres::tail_of(output);
  // "GET key:__rand_int__","1234567.89",...
  const auto at = said.rfind("__\",\"");
  if (!status || *status != 0 || at == said.npos) {
    throw std::runtime_error("redis-benchmark failed: " + said);
  }
  return std::stod(said.substr(at + 5));
}

}  // namespace bench::redis
