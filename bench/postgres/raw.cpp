#include "postgres/raw.hpp"

#include "harness.hpp"
#include "postgres/server.hpp"
#include "postgres/statements.hpp"

#include <libpq-fe.h>

#include <arpa/inet.h>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <memory>
#include <poll.h>
#include <random>
#include <stdexcept>
#include <thread>
#include <vector>

namespace bench::postgres {

using std::chrono::steady_clock;

namespace {

struct connection {
  explicit connection(const std::string& url) : pq(PQconnectdb(url.c_str()), PQfinish) {
    if (PQstatus(pq.get()) != CONNECTION_OK) throw std::runtime_error(PQerrorMessage(pq.get()));
    PQclear(PQprepare(pq.get(), "p", select_balance, 1, nullptr));
  }

  std::unique_ptr<PGconn, void (*)(PGconn*)> pq;
};

/// A random account as libpq wants a parameter.
class random_parameter {
 public:
  explicit random_parameter(std::size_t seed) : random_(static_cast<unsigned>(seed + 1)) {}
  void draw() { bytes_ = htonl(static_cast<std::uint32_t>(random_() % account_count) + 1); }
  const char* const* values() const { return &value_; }
  const int* lengths() const { return &length_; }
  const int* formats() const { return &format_; }

 private:
  std::minstd_rand random_;
  std::uint32_t bytes_ = 0;
  const char* value_ = reinterpret_cast<const char*>(&bytes_);
  int length_ = 4, format_ = 1;
};

std::int32_t balance_in(const PGresult* r) {
  if (PQresultStatus(r) != PGRES_TUPLES_OK || PQntuples(r) != 1) {
    throw std::runtime_error("the peer failed");
  }
  std::uint32_t bytes = 0;
  std::memcpy(&bytes, PQgetvalue(r, 0, 0), sizeof bytes);
  return static_cast<std::int32_t>(ntohl(bytes));
}

void read_one(connection& c, random_parameter& p) {
  p.draw();
  PGresult* r = PQexecPrepared(c.pq.get(), "p", 1, p.values(), p.lengths(), p.formats(), 1);
  bench::keep(balance_in(r));
  PQclear(r);
}

/// A connection with a full pipeline.
class pipeline {
 public:
  pipeline(const std::string& url, std::size_t depth, std::size_t seed)
      : c_(url), parameter_(seed), depth_(depth) {
    PQsetnonblocking(c_.pq.get(), 1);
    PQenterPipelineMode(c_.pq.get());
    send();
  }

  int socket() const { return PQsocket(c_.pq.get()); }

  /// Reads what is there, and sends again when all is; how many were answered.
  std::uint64_t on_readable() {
    std::uint64_t answered = 0;
    PQconsumeInput(c_.pq.get());
    while (PQisBusy(c_.pq.get()) == 0) {
      PGresult* r = PQgetResult(c_.pq.get());
      if (r == nullptr) continue;
      const bool all = PQresultStatus(r) == PGRES_PIPELINE_SYNC;
      if (!all) {
        bench::keep(balance_in(r));
        ++answered;
      }
      PQclear(r);
      if (all) {
        send();
        break;
      }
    }
    return answered;
  }

 private:
  void send() {
    for (std::size_t i = 0; i < depth_; ++i) {
      parameter_.draw();
      PQsendQueryPrepared(c_.pq.get(), "p", 1, parameter_.values(), parameter_.lengths(),
                          parameter_.formats(), 1);
    }
    // Flushes.
    PQpipelineSync(c_.pq.get());
  }

  connection c_;
  random_parameter parameter_;
  std::size_t depth_;
};

}  // namespace

double raw_blocking_reads(const std::string& url) {
  connection c(url);
  random_parameter p(0);
  auto batch = [&](std::uint64_t n) {
    for (std::uint64_t i = 0; i < n; ++i) read_one(c, p);
  };
  batch(1000);
  return bench::rate(batch, 0.5);
}

double raw_blocking_reads(const std::string& url, std::size_t threads) {
  std::atomic<bool> counting{false}, over{false};
  std::atomic<std::uint64_t> total{0};
  std::vector<std::unique_ptr<connection>> connections;
  for (std::size_t i = 0; i < threads; ++i) {
    connections.push_back(std::make_unique<connection>(url));
  }
  std::vector<std::thread> readers;
  for (std::size_t i = 0; i < threads; ++i) {
    readers.emplace_back([&, i] {
      random_parameter p(i);
      std::uint64_t calls = 0;
      while (!over.load(std::memory_order_relaxed)) {
        read_one(*connections[i], p);
        if (counting.load(std::memory_order_relaxed)) ++calls;
      }
      total += calls;
    });
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  const auto start = steady_clock::now();
  counting = true;
  std::this_thread::sleep_for(std::chrono::milliseconds(700));
  over = true;
  const std::chrono::duration<double> took = steady_clock::now() - start;
  for (auto& each : readers) each.join();
  return static_cast<double>(total) / took.count();
}

double raw_pipelined_reads(const std::string& url, std::size_t connections, std::size_t depth) {
  std::vector<std::unique_ptr<pipeline>> all;
  std::vector<pollfd> watched;
  for (std::size_t i = 0; i < connections; ++i) {
    all.push_back(std::make_unique<pipeline>(url, depth, i));
    watched.push_back({all.back()->socket(), POLLIN, 0});
  }
  return bench::rate(
      [&](std::uint64_t n) {
        for (std::uint64_t answered = 0; answered < n;) {
          if (::poll(watched.data(), watched.size(), 10'000) <= 0) {
            throw std::runtime_error("the peer stands still");
          }
          for (std::size_t i = 0; i < connections; ++i) {
            if (watched[i].revents != 0) answered += all[i]->on_readable();
          }
        }
      },
      0.7);
}

}  // namespace bench::postgres
