#pragma once

#include "support/temp_directory.hpp"

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <sys/wait.h>
#include <utility>

/// Copies of some of the project's scripts, and programs in place of those that would install or
/// build something: nothing outside of it changes.
class script_tree {
 public:
  struct outcome {
    int exit_code = -1;
    /// Of both streams.
    std::string output;
  };

  /// The project's own `scripts/NAME`.
  void copy(const std::string& name) {
    std::filesystem::create_directories(path("scripts"));
    std::filesystem::copy_file(std::filesystem::path(SCALEKIT_SOURCE_DIR) / "scripts" / name,
                               path("scripts/" + name));
  }

  /// In place of `file` a shell script that notes its name and arguments, then does `more`.
  /// Programs in bin/ are found first.
  void stand_in(const std::string& file, const std::string& more = {}) {
    std::filesystem::create_directories(path(file).parent_path());
    std::ofstream(path(file)) << "#!/bin/bash\nroot='" << root_.path().string()
                              << "'\necho \"${0##*/} $*\" >>\"$root/calls\"\n"
                              << more << "\n";
    std::filesystem::permissions(path(file), std::filesystem::perms::owner_all);
  }

  /// What the stand-ins were called with since the last time, a line a call.
  std::string take_calls() {
    std::string text;
    {
      std::ifstream in(path("calls"));
      text.assign(std::istreambuf_iterator<char>(in), {});
    }
    std::filesystem::remove(path("calls"));
    return text;
  }

  outcome run(const std::string& command) {
    const auto line = "cd '" + root_.path().string() + "' && PATH=\"$PWD/bin:$PATH\" " + command +
                      " 2>&1 </dev/null";
    std::FILE* pipe = ::popen(line.c_str(), "r");
    if (pipe == nullptr) throw std::runtime_error("popen failed");
    outcome result;
    std::array<char, 4096> part{};
    while (const auto size = std::fread(part.data(), 1, part.size(), pipe)) {
      result.output.append(part.data(), size);
    }
    const int status = ::pclose(pipe);
    if (WIFEXITED(status)) result.exit_code = WEXITSTATUS(status);
    return result;
  }

  std::filesystem::path path(const std::string& file) const { return root_.path() / file; }

 private:
  support::temp_directory root_;
};
