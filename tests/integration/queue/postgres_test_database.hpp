#pragma once

#include "support/postgres/server.hpp"

#include <atomic>
#include <string>

/// A new database on a server that all tests of the program share.
class postgres_test_database {
 public:
  postgres_test_database() : name_("queue_" + std::to_string(next()++)) {
    server().create_database(name_);
  }

  static support::postgres::server& server() {
    static support::postgres::server running({.max_connections = 100});
    return running;
  }

  const std::string& name() const noexcept { return name_; }
  std::string url() const { return server().socket_url(name_); }

 private:
  static std::atomic<int>& next() {
    static std::atomic<int> number{0};
    return number;
  }

  std::string name_;
};
