// A host's program: links scalekit as its users do, and does one small thing with each room.
#include <scalekit/cache.hpp>
#include <scalekit/core.hpp>
#include <scalekit/db.hpp>
#include <scalekit/limit.hpp>
#include <scalekit/queue.hpp>
#include <scalekit/slow.hpp>

#include <cstdint>
#include <cstdio>

int main() {
  auto db = scalekit::db::client::open("sqlite::memory:");
  auto rows = db.read<std::int64_t>(scalekit::db::sql("select 40 + $1", 2));
  std::printf("%lld\n", static_cast<long long>(rows.at(0)));
  return rows.at(0) == 42 ? 0 : 1;
}
