#pragma once

#include "scalekit/cache.hpp"
#include "support/temp_directory.hpp"

#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace cache_test {

namespace fs = std::filesystem;

/// As support::temp_directory, with the path as text.
class temporary_directory {
 public:
  std::string path() const { return directory_.path().string(); }

 private:
  support::temp_directory directory_;
};

/// Only files: every lookup reads the directory.
inline scalekit::cache::store_params files_only(const std::string& directory) {
  return {.memory = {.max_bytes = 0}, .file = {.directory = directory}, .seed = 1};
}

/// The entries' files, without the table.
inline std::vector<fs::path> entry_files(const std::string& directory) {
  std::vector<fs::path> files;
  for (auto& each : fs::recursive_directory_iterator(directory)) {
    const auto name = each.path().filename().string();
    if (each.is_regular_file() && name != "table" &&
        each.path().parent_path().filename() != "quarantine") {
      files.push_back(each.path());
    }
  }
  return files;
}

inline std::string contents(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

inline void overwrite(const fs::path& file, const std::string& bytes) {
  std::ofstream(file, std::ios::binary | std::ios::trunc) << bytes;
}

/// Runs `body` in a child process, which ends with what it returns; 99 if it throws. To be called
/// while the process has no other threads: the child has only this one.
inline pid_t start_child(const std::function<int()>& body) {
  const auto child = ::fork();
  if (child != 0) return child;
  int status = 99;
  try {
    status = body();
  } catch (...) {
  }
  ::_exit(status);
}

/// The exit status of a child; -1 if a signal ended it.
inline int wait_for(pid_t child) {
  int status = -1;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

inline int in_child(const std::function<int()>& body) {
  return wait_for(start_child(body));
}

}  // namespace cache_test
