// Every C++ block of README.md and docs/ is a region of a file under tests/snippets, which is
// compiled and run: a line `<!-- snippet: FILE#REGION -->` before the block names it, and in the
// file the region stands between `//[REGION` and `//]`.

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

namespace fs = std::filesystem;

namespace {

const fs::path root = SCALEKIT_SOURCE_DIR;
const std::string opening = "<!-- snippet: ";

using lines = std::vector<std::string>;

lines read_lines(const fs::path& file) {
  lines all;
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) all.push_back(line);
  return all;
}

/// The files that the snippet lines of a page name; as many as it has blocks.
std::vector<std::string> snippet_files_of(const fs::path& page) {
  std::vector<std::string> files;
  for (const auto& line : read_lines(page)) {
    if (!line.starts_with(opening)) continue;
    files.push_back(line.substr(opening.size(), line.find('#') - opening.size()));
  }
  return files;
}

lines without_common_indent(lines block) {
  std::size_t indent = std::string::npos;
  for (const auto& line : block) {
    auto first = line.find_first_not_of(' ');
    if (first != std::string::npos) indent = std::min(indent, first);
  }
  for (auto& line : block) {
    line = line.size() <= indent || indent == std::string::npos ? "" : line.substr(indent);
  }
  while (!block.empty() && block.back().empty()) block.pop_back();
  return block;
}

lines region_of(const fs::path& file, const std::string& name) {
  lines region;
  bool inside = false;
  for (const auto& line : read_lines(file)) {
    auto first = line.find_first_not_of(' ');
    auto text = first == std::string::npos ? "" : line.substr(first);
    if (text == "//[" + name) {
      inside = true;
    } else if (inside && text == "//]") {
      return without_common_indent(region);
    } else if (inside) {
      region.push_back(line);
    }
  }
  return {};
}

std::vector<fs::path> pages() {
  std::vector<fs::path> all{root / "README.md"};
  for (const auto& entry : fs::recursive_directory_iterator(root / "docs")) {
    if (entry.path().extension() == ".md") all.push_back(entry.path());
  }
  return all;
}

}  // namespace

TEST_CASE("code blocks of the documentation are the compiled snippets they name") {
  for (const auto& page : pages()) {
    auto text = read_lines(page);
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] != "```cpp") continue;
      INFO(page.string(), ":", i + 1);
      std::string label = i > 0 ? text[i - 1] : "";
      REQUIRE_MESSAGE(label.starts_with(opening), "a cpp block without a snippet line before it");
      auto hash = label.find('#');
      REQUIRE(hash != std::string::npos);
      auto file = root / label.substr(opening.size(), hash - opening.size());
      auto name = label.substr(hash + 1, label.find(' ', hash) - hash - 1);

      auto end = std::find(text.begin() + static_cast<std::ptrdiff_t>(i), text.end(), "```");
      lines block(text.begin() + static_cast<std::ptrdiff_t>(i) + 1, end);

      REQUIRE_MESSAGE(fs::exists(file), file.string(), " does not exist");
      CHECK_MESSAGE(without_common_indent(block) == region_of(file, name), "differs from ",
                    file.string(), " region ", name);
    }
  }
}

#ifdef SCALEKIT_COMPILED_SNIPPETS
TEST_CASE("every file that the documentation takes blocks from is compiled and run") {
  const auto compiled = read_lines(SCALEKIT_COMPILED_SNIPPETS);
  REQUIRE(!compiled.empty());

  for (const auto& page : pages()) {
    for (const auto& file : snippet_files_of(page)) {
      INFO(page.string(), " shows ", file);
      CHECK(std::find(compiled.begin(), compiled.end(), file) != compiled.end());
    }
  }
}
#endif

TEST_CASE("every room that has headers has a page that shows its use") {
  for (const auto& entry : fs::directory_iterator(root / "include/scalekit")) {
    if (!entry.is_directory()) continue;
    const auto page = root / "docs" / (entry.path().filename().string() + ".md");
    INFO(page.string());
    CHECK(!snippet_files_of(page).empty());
  }
}

TEST_CASE("relative links of the documentation lead to files") {
  for (const auto& page : pages()) {
    bool is_code = false;
    for (const auto& line : read_lines(page)) {
      if (line.starts_with("```")) is_code = !is_code;
      if (is_code) continue;  // a lambda looks like a link
      for (std::size_t at = line.find("]("); at != std::string::npos;
           at = line.find("](", at + 2)) {
        auto target = line.substr(at + 2, line.find_first_of(")#", at + 2) - at - 2);
        if (target.empty() || target.starts_with("http")) continue;
        INFO(page.string(), " links to ", target);
        CHECK(fs::exists(page.parent_path() / target));
      }
    }
  }
}
