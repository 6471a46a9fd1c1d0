// What docs/db.md shows runs on PostgreSQL after a change of the URL: the same programs, run here.

#include "support/postgres/server.hpp"

#include <cstdlib>
#include <string>

int main() {
  const support::postgres::server server;
  int databases = 0;
  for (const std::string program : {SNIPPET_DB_FIRST, SNIPPET_DB, SNIPPET_DB_SERVICE}) {
    const auto url = server.create_database("shop_" + std::to_string(++databases));
    if (std::system((program + " '" + url + "'").c_str()) != 0) return EXIT_FAILURE;
  }
  return EXIT_SUCCESS;
}
