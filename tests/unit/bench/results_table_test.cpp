#include "results_table.hpp"

#include <doctest/doctest.h>

#include <sstream>
#include <stdexcept>
#include <string>

namespace {

std::string table_of(const std::string& lines) {
  std::istringstream in(lines);
  return bench::results_table(in);
}

const std::string head =
    "| case | ours | unit | peer | peer's | ratio | A/A | runs |\n"
    "|---|---:|---|---|---:|---:|---:|---:|\n";

}  // namespace

TEST_CASE("each line of results is a row of the page") {
  CHECK(table_of(R"({"case":"a","value":5.2e6,"unit":"ops/s","peer":"raw","peer_value":26100,)"
                 R"("ratio":199.2,"same_ratio":1.01,"runs":7})"
                 "\n"
                 R"({"case":"b","value":40,"unit":"%","peer":"other","peer_value":41,)"
                 R"("ratio":null,"difference":-1.0,"runs":1})"
                 "\n"
                 R"({"case":"c","value":3,"unit":"ns","peer":null,"peer_value":null,)"
                 R"("ratio":null,"runs":7})"
                 "\n") == head +
                              "| `a` | 5.2 M | ops/s | raw | 26 k | 199 | 1.01 | 7 |\n"
                              "| `b` | 40 | % | other | 41 | -1.00 | - | 1 |\n"
                              "| `c` | 3 | ns | - | - | - | - | 7 |\n");
}

TEST_CASE("no results are a table without rows") {
  CHECK(table_of("") == head);
}

TEST_CASE("a quick look is not published") {
  CHECK_THROWS_WITH_AS(table_of(R"({"case":"a","value":1,"unit":"s","peer":null,"peer_value":null,)"
                                R"("ratio":null,"runs":1,"quick":true})"),
                       "a was only a quick look", std::runtime_error);
}
