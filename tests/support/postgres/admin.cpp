#include "support/postgres/admin.hpp"

#include <libpq-fe.h>

#include <memory>
#include <poll.h>
#include <stdexcept>

namespace support::postgres {
namespace {

using clock = std::chrono::steady_clock;

/// One connection, every wait on it with the same deadline.
class admin_connection {
 public:
  admin_connection(const std::string& url, clock::time_point deadline)
      : deadline_(deadline), handle_(PQconnectStart(url.c_str()), PQfinish) {
    auto wanted = PGRES_POLLING_WRITING;
    while (wanted != PGRES_POLLING_OK) {
      if (PQstatus(handle_.get()) == CONNECTION_BAD || wanted == PGRES_POLLING_FAILED) fail();
      wait_for(wanted == PGRES_POLLING_READING ? POLLIN : POLLOUT);
      wanted = PQconnectPoll(handle_.get());
    }
    PQsetnonblocking(handle_.get(), 1);
  }

  std::optional<std::string> run(const std::string& sql) {
    if (PQsendQuery(handle_.get(), sql.c_str()) != 1) fail();
    for (int left = PQflush(handle_.get()); left != 0; left = PQflush(handle_.get())) {
      if (left < 0) fail();
      wait_for(POLLOUT | POLLIN);
      if (PQconsumeInput(handle_.get()) != 1) fail();
    }
    std::optional<std::string> value;
    std::string failure;
    while (const auto result = next_result()) {
      const auto status = PQresultStatus(result.get());
      if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK && status != PGRES_EMPTY_QUERY) {
        failure = PQresultErrorMessage(result.get());
      }
      value.reset();
      if (PQntuples(result.get()) > 0 && PQgetisnull(result.get(), 0, 0) == 0) {
        value = PQgetvalue(result.get(), 0, 0);
      }
    }
    if (!failure.empty()) throw std::runtime_error(failure + "in: " + sql);
    return value;
  }

 private:
  std::unique_ptr<PGresult, void (*)(PGresult*)> next_result() {
    while (PQisBusy(handle_.get()) != 0) {
      wait_for(POLLIN);
      if (PQconsumeInput(handle_.get()) != 1) fail();
    }
    return {PQgetResult(handle_.get()), PQclear};
  }

  void wait_for(int events) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline_ - clock::now());
    pollfd waiting{PQsocket(handle_.get()), static_cast<short>(events), 0};
    if (left.count() <= 0 || poll(&waiting, 1, static_cast<int>(left.count())) == 0) {
      throw std::runtime_error("the server did not answer in time");
    }
  }

  [[noreturn]] void fail() { throw std::runtime_error(PQerrorMessage(handle_.get())); }

  clock::time_point deadline_;
  std::unique_ptr<PGconn, void (*)(PGconn*)> handle_;
};

std::string quoted(const std::string& text, char quote) {
  std::string result(1, quote);
  for (const char c : text) result.append(c == quote ? 2 : 1, c);
  return result + quote;
}

}  // namespace

std::optional<std::string> run_sql(const std::string& url, const std::string& sql,
                                   std::chrono::milliseconds patience) {
  return admin_connection(url, clock::now() + patience).run(sql);
}

std::string quoted_literal(const std::string& text) {
  return quoted(text, '\'');
}
std::string quoted_name(const std::string& text) {
  return quoted(text, '"');
}

}  // namespace support::postgres
