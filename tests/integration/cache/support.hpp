#pragma once

#include "scalekit/cache.hpp"

#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <stdexcept>
#include <stdlib.h>
#include <string>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace cache_test {

namespace fs = std::filesystem;

/// A directory of its own that goes with it.
class temporary_directory {
 public:
  temporary_directory() {
    std::string name = (fs::temp_directory_path() / "scalekit-cache-XXXXXX").string();
    if (!::mkdtemp(name.data())) throw std::runtime_error("mkdtemp");
    path_ = name;
  }
  ~temporary_directory() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  temporary_directory(const temporary_directory&) = delete;
  temporary_directory& operator=(const temporary_directory&) = delete;

  std::string path() const { return path_.string(); }

 private:
  fs::path path_;
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

/// Runs `body` in a child process and gives its exit status; what it throws is 99.
inline int in_child(const std::function<int()>& body) {
  const auto child = ::fork();
  if (child == 0) {
    int status = 99;
    try {
      status = body();
    } catch (...) {
    }
    ::_exit(status);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace cache_test
