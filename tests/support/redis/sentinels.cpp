#include "support/redis/sentinels.hpp"

#include "support/wait_until.hpp"

#include <algorithm>
#include <stdexcept>

namespace support::redis {
namespace {

std::string in_ms(std::chrono::milliseconds d) {
  return std::to_string(d.count());
}

bool has_field(const std::string& lines, const std::string& name, std::size_t value) {
  return lines.find(name + "\n" + std::to_string(value) + "\n") != lines.npos;
}

}  // namespace

sentinels::sentinels(sentinels_params params) : params_(std::move(params)) {
  for (std::size_t i = 0; i <= params_.replicas; ++i) {
    server_params each{.password = params_.password, .more = {{"repl-diskless-sync-delay", "0"}}};
    if (!params_.password.empty()) each.more.emplace_back("masterauth", params_.password);
    data_.push_back(std::make_unique<server>(std::move(each)));
  }
  begin_replication();
  start_sentinels();
}

std::string sentinels::url_for(const std::string& service) const {
  std::string url = "redis+sentinel://";
  if (!params_.password.empty()) url += ":" + params_.password + "@";
  for (const auto& each : sentinels_) {
    url +=
        (each == sentinels_.front() ? "127.0.0.1:" : ",127.0.0.1:") + std::to_string(each->port());
  }
  url += "?service=" + service;
  if (!params_.sentinel_password.empty()) url += "&sentinel_password=" + params_.sentinel_password;
  return url;
}

void sentinels::begin_replication() const {
  const auto port = std::to_string(data_.front()->port());
  for (std::size_t i = 1; i < data_.size(); ++i) {
    data_[i]->ask({"REPLICAOF", "127.0.0.1", port});
  }
  for (std::size_t i = 1; i < data_.size(); ++i) {
    const bool is_linked = wait_until([&] {
      return data_[i]->ask({"INFO", "replication"}).find("master_link_status:up") !=
             std::string::npos;
    });
    if (!is_linked) throw std::runtime_error("a replica did not find its master");
  }
}

void sentinels::start_sentinels() {
  std::vector<std::string> lines{
      "sentinel monitor shop 127.0.0.1 " + std::to_string(data_.front()->port()) + " 2",
      "sentinel down-after-milliseconds shop " + in_ms(params_.down_after),
      "sentinel failover-timeout shop 3000"};
  if (!params_.password.empty()) lines.push_back("sentinel auth-pass shop " + params_.password);
  for (std::size_t i = 0; i < count; ++i) {
    sentinels_.push_back(std::make_unique<server>(
        server_params{.password = params_.sentinel_password, .sentinel = lines}));
    // They speak to each other every two seconds; so long no test has to wait.
    sentinels_.back()->ask({"SENTINEL", "DEBUG", "PUBLISH-PERIOD", "200", "INFO-PERIOD", "500",
                            "PING-PERIOD", "100", "ASK-PERIOD", "200"});
  }
  if (!wait_until([this] { return are_ready(); })) {
    throw std::runtime_error("the sentinels did not find each other; the log of one ends with:\n" +
                             sentinels_.front()->log_tail());
  }
}

bool sentinels::are_ready() const {
  return std::ranges::all_of(sentinels_, [this](const auto& each) {
    const auto known = each->ask({"SENTINEL", "MASTER", "shop"});
    return has_field(known, "num-slaves", params_.replicas) &&
           has_field(known, "num-other-sentinels", count - 1) &&
           each->ask({"SENTINEL", "CKQUORUM", "shop"}).starts_with("OK");
  });
}

server& sentinels::serve(const std::string& address) const {
  for (const auto& each : data_) {
    if (address == "127.0.0.1\n" + std::to_string(each->port()) + "\n") return *each;
  }
  throw std::runtime_error("the sentinels name a server that is none of ours: " + address);
}

server& sentinels::wait_for_another(const server& old) const {
  server* found = nullptr;
  const bool is_found = wait_until(
      [&] {
        found = nullptr;
        for (const auto& each : sentinels_) {
          if (each->pid() <= 0) continue;
          auto& said = serve(each->ask({"SENTINEL", "GET-MASTER-ADDR-BY-NAME", "shop"}));
          if (&said == &old || (found != nullptr && &said != found)) return false;
          found = &said;
        }
        return found != nullptr;
      },
      2 * long_patience);  // on a busy machine they need several attempts
  if (is_found) return *found;
  throw std::runtime_error("no other master was made; the log of a sentinel ends with:\n" +
                           sentinels_.front()->log_tail());
}

}  // namespace support::redis
