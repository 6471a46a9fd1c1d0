// Checks the room table of docs/architecture.md: includes point up only, public headers show no
// third party's types, and sources are ASCII.

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace fs = std::filesystem;

namespace {

const fs::path root = SCALEKIT_SOURCE_DIR;

using rooms = std::set<std::string>;

std::vector<std::string> cells_of(const std::string& row) {
  std::vector<std::string> cells;
  std::istringstream in(row.substr(1));
  for (std::string cell; std::getline(in, cell, '|');) {
    const auto first = cell.find_first_not_of(' ');
    const auto last = cell.find_last_not_of(' ');
    cells.push_back(first == std::string::npos ? "" : cell.substr(first, last - first + 1));
  }
  return cells;
}

/// Which rooms each room may use, as the table of the page says: "core, slow", "-" or "all above".
std::map<std::string, rooms> read_room_table() {
  std::map<std::string, rooms> table;
  rooms above;
  std::ifstream page(root / "docs/architecture.md");
  std::string line;
  while (std::getline(page, line) && !line.starts_with("| room |")) continue;
  std::getline(page, line);  // the rule below the head
  while (std::getline(page, line) && line.starts_with("|")) {
    const auto cells = cells_of(line);
    REQUIRE_MESSAGE(cells.size() == 3, line);
    rooms used;
    if (cells[2] == "all above") {
      used = above;
    } else if (cells[2] != "-") {
      std::istringstream in(cells[2]);
      for (std::string room; std::getline(in >> std::ws, room, ',');) {
        CHECK_MESSAGE(above.contains(room), room, " is not above in: ", line);
        used.insert(room);
      }
    }
    table[cells[0]] = used;
    above.insert(cells[0]);
  }
  REQUIRE(table.size() > 1);
  return table;
}

const std::map<std::string, rooms>& may_use() {
  static const auto table = read_room_table();
  return table;
}

struct include_line {
  fs::path file;
  int line;
  std::string target;
};

std::vector<include_line> includes_of(const fs::path& file) {
  static const std::regex pattern(R"(^\s*#\s*include\s*[<"]([^>"]+)[>"])");
  std::vector<include_line> found;
  std::ifstream in(file);
  std::string text;
  for (int line = 1; std::getline(in, text); ++line) {
    std::smatch match;
    if (std::regex_search(text, match, pattern)) found.push_back({file, line, match[1]});
  }
  return found;
}

std::vector<fs::path> sources_under(const fs::path& dir) {
  std::vector<fs::path> files;
  if (!fs::exists(dir)) return files;
  for (const auto& entry : fs::recursive_directory_iterator(dir)) {
    auto extension = entry.path().extension();
    if (extension == ".hpp" || extension == ".cpp" || extension == ".h") {
      files.push_back(entry.path());
    }
  }
  return files;
}

/// "scalekit/db/client.hpp", "scalekit/db.hpp" and "db/pool.hpp" all belong to db; else empty.
std::string room_of_include(const std::string& target) {
  static const std::regex pattern(R"(^(?:scalekit/)?([a-z]+)(?:/|\.hpp$))");
  std::smatch match;
  if (!std::regex_search(target, match, pattern)) return {};
  return may_use().contains(match[1]) ? std::string(match[1]) : std::string{};
}

}  // namespace

TEST_CASE("a room includes only itself and the rooms above it in the table") {
  for (const auto& [room, allowed] : may_use()) {
    auto files = sources_under(root / "include/scalekit" / room);
    auto bodies = sources_under(root / "src" / room);
    files.insert(files.end(), bodies.begin(), bodies.end());
    if (fs::exists(root / "include/scalekit" / (room + ".hpp"))) {
      files.push_back(root / "include/scalekit" / (room + ".hpp"));
    }
    CHECK_MESSAGE(!files.empty(), room, " is in the table and has no files");

    for (const auto& file : files) {
      for (const auto& include : includes_of(file)) {
        auto used = room_of_include(include.target);
        if (used.empty() || used == room) continue;
        INFO(include.file.string(), ":", include.line, " includes ", include.target);
        CHECK(allowed.contains(used));
      }
    }
  }
}

TEST_CASE("no public header shows a third party other than Boost") {
  static const std::regex banned(
      R"(^(libpq|postgres|hiredis|libmemcached|sqlite3|spdlog|fmt|CLI|doctest)|^iostream$)");

  for (const auto& file : sources_under(root / "include")) {
    for (const auto& include : includes_of(file)) {
      INFO(include.file.string(), ":", include.line, " includes ", include.target);
      CHECK_FALSE(std::regex_search(include.target, banned));
    }
  }
}

TEST_CASE("sources are ASCII") {
  for (const char* dir : {"include", "src", "examples", "bench", "tests"}) {
    for (const auto& file : sources_under(root / dir)) {
      std::ifstream in(file, std::ios::binary);
      std::string text(std::istreambuf_iterator<char>(in), {});
      int line = 1;
      for (char c : text) {
        if (c == '\n') ++line;
        if (static_cast<unsigned char>(c) < 0x80) continue;
        FAIL_CHECK(file.string(), ":", line, " holds a byte outside ASCII");
        break;
      }
    }
  }
}

TEST_CASE("no include goes up by two dots: a room is named") {
  for (const char* dir : {"include", "src", "examples", "bench", "tests"}) {
    for (const auto& file : sources_under(root / dir)) {
      for (const auto& include : includes_of(file)) {
        INFO(include.file.string(), ":", include.line, " includes ", include.target);
        CHECK(include.target.find("../") == std::string::npos);
      }
    }
  }
}

TEST_CASE("every room that has a directory is in the table") {
  for (const char* where : {"include/scalekit", "src"}) {
    for (const auto& entry : fs::directory_iterator(root / where)) {
      if (!entry.is_directory()) continue;
      INFO(entry.path().string());
      CHECK(may_use().contains(entry.path().filename().string()));
    }
  }
}
