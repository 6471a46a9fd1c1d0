#pragma once

#include <filesystem>
#include <stdexcept>
#include <stdlib.h>
#include <string>

/// A new directory for a SQLite file, removed with this object.
class temp_database {
 public:
  temp_database() {
    std::string pattern = (std::filesystem::temp_directory_path() / "sk-queue-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
    directory_ = pattern;
  }
  ~temp_database() {
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }
  temp_database(const temp_database&) = delete;
  temp_database& operator=(const temp_database&) = delete;

  std::string url() const { return "sqlite://" + path(); }
  std::string path() const { return (directory_ / "jobs.db").string(); }

 private:
  std::filesystem::path directory_;
};
