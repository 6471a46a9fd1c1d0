#include "harness.hpp"
#include "postgres/raw.hpp"
#include "postgres/server.hpp"
#include "postgres/statements.hpp"

#include <cstdint>
#include <pqxx/pqxx>
#include <random>

namespace bench::postgres {

double pqxx_reads(const std::string& url) {
  pqxx::connection c(url);
  c.prepare("p", select_balance);
  pqxx::nontransaction tx(c);
  std::minstd_rand random;
  auto batch = [&](std::uint64_t n) {
    for (std::uint64_t i = 0; i < n; ++i) {
      const auto account = static_cast<std::int32_t>(random() % account_count) + 1;
      const auto row = tx.exec_prepared1("p", account);
      bench::keep(row[0].as<std::int32_t>());
    }
  };
  batch(1000);
  return bench::rate(batch, 0.5);
}

}  // namespace bench::postgres
