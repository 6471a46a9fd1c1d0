// A host that wants the database client and nothing else: it links scalekit::db alone.
#include <scalekit/db.hpp>

#include <cstdint>

int main() {
  auto db = scalekit::db::client::open("sqlite::memory:");
  return db.read<std::int64_t>(scalekit::db::sql("select 40 + $1", 2)).at(0) == 42 ? 0 : 1;
}
