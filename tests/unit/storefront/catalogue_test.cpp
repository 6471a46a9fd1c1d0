#include "catalogue/package_record.hpp"
#include "catalogue/product.hpp"
#include "catalogue/source.hpp"

#include <doctest/doctest.h>

#include <sstream>
#include <stdexcept>

namespace {

using namespace storefront;

std::vector<package_record> parse(const std::string& index) {
  std::vector<package_record> records;
  record_parser parser;
  std::istringstream lines(index);
  for (std::string line; std::getline(lines, line);) {
    if (auto record = parser.feed(line)) records.push_back(std::move(*record));
  }
  if (auto record = parser.finish()) records.push_back(std::move(*record));
  return records;
}

TEST_CASE("a record of a package index becomes a product sheet") {
  auto records = parse(
      "Package: 0ad\n"
      "Version: 0.0.26-3\n"
      "Installed-Size: 28591\n"
      "Maintainer: Games Team <games@example.org>\n"
      "Depends: 0ad-data (>= 0.0.26), libc6:any (>= 2.34) | musl, libc6\n"
      "Description: Real-time strategy\n"
      " A long text.\n"
      " .\n"
      " Its second paragraph.\n"
      "Tag: game::strategy,\n"
      " x11::application\n"
      "Section: games\n"
      "Size: 7891488\n");

  REQUIRE(records.size() == 1);
  const auto& record = records.front();
  CHECK(record.name == "0ad");
  CHECK(record.version == "0.0.26-3");
  CHECK(record.section == "games");
  CHECK(record.maintainer == "Games Team <games@example.org>");
  CHECK(record.installed_kib == 28591);
  CHECK(record.download_bytes == 7891488);
  CHECK(record.depends == std::vector<std::string>{"0ad-data", "libc6"});
  CHECK(record.description == "Real-time strategy\nA long text.\n\nIts second paragraph.");
}

TEST_CASE("records are separated by blank lines, and the last one needs none") {
  auto records = parse("\n\nPackage: aa\n\n  \nPackage: bb\n\nVersion: 1\n\nPackage: cc");

  REQUIRE(records.size() == 3);
  CHECK(records[0].name == "aa");
  CHECK(records[1].name == "bb");
  CHECK(records[2].name == "cc");
}

TEST_CASE("what is malformed in an index is left out and the rest is kept") {
  auto records = parse(
      "Package: ok\nInstalled-Size: many\nSize: -5\nno colon here\nDepends: , ,(>= 1),UPPER, b+\n"
      "\n"
      "Package: Not A Name\nVersion: 1\n");

  REQUIRE(records.size() == 1);
  CHECK(records[0].installed_kib == 0);
  CHECK(records[0].download_bytes == 0);
  CHECK(records[0].depends == std::vector<std::string>{"b+"});
}

TEST_CASE("texts that are not UTF-8 become texts that are") {
  auto records = parse(
      "Package: aa\n"
      "Maintainer: Jos\xC3\xA9 \xE9\xFF\x01 \xED\xA0\x80 \xF0\x9F\x8D\xBA\n");

  REQUIRE(records.size() == 1);
  CHECK(records[0].maintainer == "Jos\xC3\xA9 ??? ??? \xF0\x9F\x8D\xBA");
}

TEST_CASE("an endless record is cut, not collected") {
  std::string index = "Package: aa\nDescription: short\n";
  for (int i = 0; i < 1000; ++i) index += " a line of some forty bytes, again and again\n";
  index += "Depends: ";
  for (int i = 0; i < 1000; ++i) index += "dep" + std::to_string(i) + ", ";

  auto records = parse(index);

  REQUIRE(records.size() == 1);
  CHECK(records[0].description.size() <= record_parser::max_description + 1);
  CHECK(records[0].depends.size() == record_parser::max_depends);
}

TEST_CASE("price and stock follow from the name") {
  package_record record;
  record.name = "libc6";
  record.installed_kib = 3;

  auto one = to_product(1, record);
  auto other = to_product(2, record);

  CHECK(one.price_cents == other.price_cents);
  CHECK(one.stock == other.stock);
  CHECK(one.price_cents > 0);
  CHECK(one.stock >= 10'000);
  CHECK(one.category == "misc");
  CHECK(one.size_bytes == 3 * 1024);
}

TEST_CASE("the generator always makes the same catalogue") {
  std::vector<package_record> first;
  std::vector<package_record> second;

  generate_records(50, [&](package_record r) { first.push_back(std::move(r)); });
  generate_records(50, [&](package_record r) { second.push_back(std::move(r)); });

  REQUIRE(first.size() == 50);
  for (std::size_t i = 0; i < first.size(); ++i) {
    CHECK(first[i].name == second[i].name);
    CHECK(first[i].depends == second[i].depends);
  }
}

TEST_CASE("the catalogue is chosen by a word") {
  using enum catalogue_choice::kind;

  CHECK(parse_catalogue_choice("auto").from == automatic);
  CHECK(parse_catalogue_choice("apt").from == apt);
  CHECK(parse_catalogue_choice("generated").from == generated);
  CHECK(parse_catalogue_choice("generated:7").count == 7);
  for (auto* wrong : {"", "generate", "generated:", "generated:0", "generated:1x", "generated:-1",
                      "generated:1000001", "generated7"}) {
    CAPTURE(wrong);
    CHECK_THROWS_AS(parse_catalogue_choice(wrong), std::invalid_argument);
  }
}

}  // namespace
