// What the shop signs page cursors with.

#include "support/storefront/http_client.hpp"
#include "support/storefront/process.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace {

using namespace storefront_test;
namespace fs = std::filesystem;

const std::vector<std::string> quick{"--catalogue", "generated:300", "--sync", "normal"};

std::vector<std::string> with_secret(const fs::path& file) {
  auto arguments = quick;
  arguments.insert(arguments.end(), {"--secret-file", file.string()});
  return arguments;
}

std::string content_of(const fs::path& file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// Where the first page of some category with several says that the next one begins.
std::string second_page(process& shop) {
  http_client customer(shop.port());
  const auto link = customer.get("/products?category=libs&limit=1").header("Link");
  REQUIRE(!link.empty());
  return link.substr(1, link.find('>') - 1);
}

int status_of(process& shop, const std::string& target) {
  http_client customer(shop.port());
  return customer.get(target).status;
}

TEST_CASE("a cursor holds after a restart and in another process, by a secret for its owner only") {
  temporary_directory dir;
  const auto file = dir.path() / "cursor-secret";
  std::string page;
  {
    process shop(dir.path(), quick);
    page = second_page(shop);
    CHECK(shop.terminate() == 0);
  }

  process again(dir.path(), quick);
  process beside(dir.path(), quick);

  CHECK(status_of(again, page) == 200);
  CHECK(status_of(beside, page) == 200);
  CHECK(fs::status(file).permissions() == (fs::perms::owner_read | fs::perms::owner_write));
  const auto secret = content_of(file);
  CHECK(secret.size() == 65);
  CHECK(content_of(dir.path() / "stderr.log").find(secret.substr(0, 16)) == std::string::npos);
}

TEST_CASE("shops with the same secret file accept each other's cursors, others do not") {
  temporary_directory north, south, west, key;
  std::ofstream(key.path() / "secret") << "sixteen bytes or more\n";
  process one(north.path(), with_secret(key.path() / "secret"));
  process two(south.path(), with_secret(key.path() / "secret"));
  process three(west.path(), quick);

  const auto page = second_page(one);

  CHECK(status_of(two, page) == 200);
  CHECK(status_of(three, page) == 400);
  CHECK_FALSE(fs::exists(north.path() / "cursor-secret"));
}

TEST_CASE(
    "a shop whose secret is missing or of the wrong size does not start, and names its file") {
  temporary_directory dir;
  const auto file = dir.path() / "secret";

  CHECK_THROWS(process(dir.path(), with_secret(file)));
  CHECK(content_of(dir.path() / "stderr.log").find("cannot read the secret in " + file.string()) !=
        std::string::npos);
  for (const auto& wrong : {std::string("too short"), std::string(1025, 'x')}) {
    std::ofstream(file) << wrong;
    CHECK_THROWS(process(dir.path(), with_secret(file)));
    const auto log = content_of(dir.path() / "stderr.log");
    CHECK(log.find("the secret in " + file.string() + " must have 16 to 1024 bytes") !=
          std::string::npos);
    CHECK(log.find(wrong) == std::string::npos);
  }
}

}  // namespace
