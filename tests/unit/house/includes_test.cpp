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

const std::map<std::string, std::set<std::string>> may_use = {
    {"core", {}},
    {"slow", {"core"}},
    {"redis", {"core"}},
    {"cache", {"core", "redis"}},
    {"limit", {"core", "redis"}},
    {"db", {"core", "slow"}},
    {"queue", {"core", "slow", "db", "redis", "limit"}},
    {"http", {"core", "limit"}},
    {"adapters", {"core", "slow", "redis", "cache", "limit", "db", "queue", "http"}},
    {"testing", {"core", "db"}},
    {"ops", {"core", "slow", "redis", "cache", "limit", "db", "queue", "http", "adapters"}},
    {"capi", {"core", "slow", "redis", "cache", "limit", "db", "queue", "http", "adapters", "ops"}},
    {"cli", {"core", "slow", "redis", "cache", "limit", "db", "queue", "http", "adapters", "ops"}},
};

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
  return may_use.contains(match[1]) ? std::string(match[1]) : std::string{};
}

}  // namespace

TEST_CASE("a room includes only itself and the rooms above it in the table") {
  for (const auto& [room, allowed] : may_use) {
    auto files = sources_under(root / "include/scalekit" / room);
    auto bodies = sources_under(root / "src" / room);
    files.insert(files.end(), bodies.begin(), bodies.end());
    if (fs::exists(root / "include/scalekit" / (room + ".hpp"))) {
      files.push_back(root / "include/scalekit" / (room + ".hpp"));
    }

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

TEST_CASE("every room that has headers is in the table") {
  for (const auto& entry : fs::directory_iterator(root / "include/scalekit")) {
    if (!entry.is_directory()) continue;
    INFO(entry.path().string());
    CHECK(may_use.contains(entry.path().filename().string()));
  }
}
