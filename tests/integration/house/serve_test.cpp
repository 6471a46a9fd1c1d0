#include "script_tree.hpp"
#include "support/child_process.hpp"
#include "support/storefront/http_client.hpp"
#include "support/storefront/process.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <filesystem>
#include <signal.h>
#include <string>

namespace fs = std::filesystem;

TEST_CASE("demo --serve starts the shop, which serves until it is told to stop") {
  script_tree tree;
  tree.copy("demo");
  tree.stand_in("scripts/setup");
  tree.stand_in("scripts/build");
  const auto program = tree.path("build/release/examples/storefront/storefront");
  fs::create_directories(program.parent_path());
  fs::create_symlink(SCALEKIT_STOREFRONT, program);
  const auto shop_directory = tree.path("build/demo/shop");
  fs::create_directories(shop_directory);
  {
    // A small catalogue in place of the machine's own: it is used again.
    storefront_test::process shop(shop_directory, {"--catalogue", "generated:100"});
    REQUIRE(shop.terminate() == 0);
  }

  support::child_process demo({tree.path("scripts/demo").string(), "--serve", "0"});
  const std::string announcement = "listening on 127.0.0.1:";
  std::string line;
  do {
    line = demo.read_line();
  } while (!line.empty() && !line.starts_with(announcement));
  REQUIRE(line.starts_with(announcement));
  const auto port = std::stoi(line.substr(announcement.size()));
  const auto ready =
      storefront_test::http_client(static_cast<std::uint16_t>(port)).get("/readyz").status;
  demo.send_signal(SIGTERM);

  CHECK(ready == 200);
  CHECK(demo.wait() == 0);
  CHECK(tree.take_calls() == "setup demo\nbuild release storefront storefront_demo\n");
}
