#include "support/redis/server.hpp"

#include "support/postgres/process.hpp"

#include <hiredis/hiredis.h>

#include <fstream>
#include <memory>
#include <stdexcept>

namespace support::redis {
namespace {

struct context_deleter {
  void operator()(redisContext* c) const noexcept { redisFree(c); }
};
struct reply_deleter {
  void operator()(void* r) const noexcept { freeReplyObject(r); }
};
using context_ptr = std::unique_ptr<redisContext, context_deleter>;
using reply_ptr = std::unique_ptr<redisReply, reply_deleter>;

reply_ptr send(redisContext& to, const std::vector<std::string>& command) {
  std::vector<const char*> words;
  std::vector<std::size_t> sizes;
  for (const auto& word : command) {
    words.push_back(word.data());
    sizes.push_back(word.size());
  }
  return reply_ptr(static_cast<redisReply*>(
      redisCommandArgv(&to, static_cast<int>(words.size()), words.data(), sizes.data())));
}

std::string text_of(const redisReply& r) {
  switch (r.type) {
    case REDIS_REPLY_INTEGER:
      return std::to_string(r.integer);
    case REDIS_REPLY_ARRAY: {
      std::string lines;
      for (std::size_t i = 0; i < r.elements; ++i) lines += text_of(*r.element[i]) + "\n";
      return lines;
    }
    case REDIS_REPLY_NIL:
      return {};
    default:
      return {r.str, static_cast<std::size_t>(r.len)};
  }
}

}  // namespace

server::server(server_params params) : params_(std::move(params)) {
  if (params_.tls) make_certificate();
  start();
}

server::~server() {
  if (!directory_.is_mine()) return;
  try {
    stop();
  } catch (const std::exception&) {
    // stop() has killed it.
  }
}

std::string server::url_at(std::uint16_t port) const {
  const auto login = params_.password.empty() ? "" : ":" + params_.password + "@";
  return (params_.tls ? "rediss://" : "redis://") + login + "127.0.0.1:" + std::to_string(port);
}

std::string server::socket_url() const {
  const auto login = params_.password.empty() ? "" : ":" + params_.password + "@";
  return "redis+unix://" + login + socket_path().string();
}

std::string server::log_tail() const {
  return postgres::tail_of(directory_ / "log");
}

std::string server::ask(const std::vector<std::string>& command) const {
  const timeval patience{30, 0};
  const context_ptr connection(redisConnectUnixWithTimeout(socket_path().c_str(), patience));
  if (!connection || connection->err != 0) throw std::runtime_error("Redis is not there");
  redisSetTimeout(connection.get(), patience);
  if (!params_.password.empty()) send(*connection, {"AUTH", params_.password});
  const auto answer = send(*connection, command);
  if (!answer) throw std::runtime_error(command.front() + ": no answer of Redis");
  return text_of(*answer);
}

void server::make_certificate() const {
  postgres::run({"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                 "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
                 "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", directory_ / "server.key",
                 "-out", ca_file()},
                false);
}

std::vector<std::string> server::sentinel_command() const {
  const auto file = directory_ / "sentinel.conf";
  // What it has learnt is in it.
  if (!std::filesystem::exists(file)) {
    std::ofstream out(file);
    for (const auto& line : params_.sentinel) out << line << "\n";
    if (params_.tls) {
      out << "tls-port " << port() << "\nport 0\ntls-auth-clients no\ntls-cert-file "
          << ca_file().string() << "\ntls-key-file " << (directory_ / "server.key").string()
          << "\ntls-ca-cert-file " << ca_file().string() << "\n";
    } else {
      out << "port " << port() << "\n";
    }
    out << "bind 127.0.0.1\nunixsocket " << socket_path().string() << "\ndir "
        << directory_.path().string() << "\n";
    if (!params_.password.empty()) {
      out << "requirepass " << params_.password << "\nsentinel sentinel-pass " << params_.password
          << "\n";
    }
  }
  return {"redis-server", file.string(), "--sentinel"};
}

std::vector<std::string> server::command() const {
  if (!params_.sentinel.empty()) return sentinel_command();
  const auto directory = directory_.path().string();
  std::vector<std::string> words{"redis-server",
                                 params_.tls ? "--tls-port" : "--port",
                                 std::to_string(port()),
                                 "--bind",
                                 "127.0.0.1",
                                 "--unixsocket",
                                 socket_path(),
                                 "--dir",
                                 directory,
                                 "--save",
                                 "",
                                 "--appendonly",
                                 params_.durable ? "yes" : "no",
                                 "--appendfsync",
                                 "always",
                                 "--enable-debug-command",
                                 "local"};
  if (params_.tls) {
    words.insert(words.end(), {"--port", "0", "--tls-cert-file", ca_file(), "--tls-key-file",
                               directory_ / "server.key", "--tls-auth-clients", "no"});
  }
  if (!params_.password.empty()) {
    words.emplace_back("--requirepass");
    words.push_back(params_.password);
  }
  for (const auto& [name, value] : params_.more) {
    words.push_back("--" + name);
    words.push_back(value);
  }
  return words;
}

void server::start() {
  if (process_.is_running()) return;
  // A killed one leaves it behind, and a connection to it would look like a server that is
  // starting.
  std::filesystem::remove(socket_path());
  if (!process_.start(command(), [this] { return answers(); })) fail("Redis did not start");
}

void server::stop() {
  if (!process_.stop()) fail("Redis did not stop");
}

bool server::answers() const {
  try {
    return ask({"PING"}) == "PONG";
  } catch (const std::runtime_error&) {
    return false;
  }
}

void server::fail(const std::string& what) const {
  throw std::runtime_error(what + "; its log ends with:\n" + log_tail());
}

}  // namespace support::redis
