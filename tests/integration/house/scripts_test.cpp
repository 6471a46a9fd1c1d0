#include "script_tree.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace fs = std::filesystem;
using namespace std::chrono_literals;

namespace {

bool is_shell_script(const fs::path& file) {
  std::string line;
  std::getline(std::ifstream(file), line);
  return line.starts_with("#!") && line.ends_with("sh");
}

std::vector<fs::path> shell_scripts() {
  std::vector<fs::path> all;
  for (const auto* dir : {"scripts", ".ci", "bench", "tests"}) {
    for (const auto& entry :
         fs::recursive_directory_iterator(fs::path(SCALEKIT_SOURCE_DIR) / dir)) {
      if (entry.is_regular_file() && is_shell_script(entry.path())) all.push_back(entry.path());
    }
  }
  return all;
}

}  // namespace

TEST_CASE("every script is one that bash can read") {
  script_tree tree;
  const auto scripts = shell_scripts();

  CHECK(scripts.size() >= 8);
  for (const auto& script : scripts) {
    const auto [exit_code, output] = tree.run("bash -n '" + script.string() + "'");
    CHECK_MESSAGE(exit_code == 0, script.string(), ": ", output);
  }
}

TEST_CASE("who asks for help gets the usage, and nothing is installed or built for it") {
  script_tree tree;
  for (const auto* name : {"demo", "test", "bench", "fuzz", "lint"}) {
    tree.copy(name);

    const auto [exit_code, output] = tree.run("scripts/" + std::string(name) + " --help");

    CHECK(exit_code == 0);
    CHECK(output.find("usage: scripts/" + std::string(name)) != std::string::npos);
    CHECK(output.find("pipefail") == std::string::npos);
  }
}

TEST_CASE("setup installs what is missing, and is silent and does nothing the second time") {
  script_tree tree;
  tree.copy("setup");
  tree.stand_in("bin/sudo", "exec \"$@\"");
  tree.stand_in("bin/dpkg-query", R"(grep -qxF -e "${!#}" "$root/installed" && echo -n installed)");
  tree.stand_in("bin/apt-get",
                R"([[ " $* " != *" install "* ]] || printf '%s\n' "$@" >>"$root/installed")");

  const auto first = tree.run("scripts/setup demo");
  const auto first_calls = tree.take_calls();
  const auto second = tree.run("scripts/setup demo");
  const auto second_calls = tree.take_calls();

  CHECK(first.exit_code == 0);
  CHECK(first.output.starts_with("== installing g++ cmake ninja-build"));
  CHECK(first_calls.find("apt-get update") != std::string::npos);
  CHECK(first_calls.find("apt-get install") != std::string::npos);
  CHECK(second.exit_code == 0);
  CHECK(second.output.empty());
  CHECK(second_calls.find("apt-get") == std::string::npos);
}

TEST_CASE("setup refuses a purpose that it does not know, and names those that there are") {
  script_tree tree;
  tree.copy("setup");

  const auto [exit_code, output] = tree.run("scripts/setup dmeo");

  CHECK(exit_code == 2);
  CHECK(output.find("'dmeo' (demo, test, bench") != std::string::npos);
}

TEST_CASE("build configures a preset once, and again when the presets were changed") {
  script_tree tree;
  tree.copy("build");
  tree.stand_in("bin/cmake",
                R"([ "$1" = --preset ] || exit 0
mkdir -p "build/$2"
touch "build/$2/build.ninja" "build/$2/CMakeCache.txt")");
  const auto presets = tree.path("CMakePresets.json");
  std::ofstream(presets) << "{}";
  fs::last_write_time(presets, fs::file_time_type::clock::now() - 1h);

  CHECK(tree.run("scripts/build dev one two").exit_code == 0);
  CHECK(tree.take_calls().starts_with("cmake --preset dev"));

  CHECK(tree.run("scripts/build dev one two").exit_code == 0);
  CHECK(tree.take_calls() == "cmake --build build/dev --target one two\n");

  fs::last_write_time(presets, fs::file_time_type::clock::now() + 1h);
  CHECK(tree.run("scripts/build dev").exit_code == 0);
  CHECK(tree.take_calls().ends_with("\ncmake --build build/dev\n"));
}

TEST_CASE("a configuration that fails ends the build with its log") {
  script_tree tree;
  tree.copy("build");
  tree.stand_in("bin/cmake", "echo 'no such preset'; exit 1");
  std::ofstream(tree.path("CMakePresets.json")) << "{}";

  const auto [exit_code, output] = tree.run("scripts/build nonsense");

  CHECK(exit_code == 1);
  CHECK(output == "no such preset\n");
}
