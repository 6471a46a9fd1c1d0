#pragma once

#include <filesystem>
#include <stdexcept>
#include <stdlib.h>
#include <string>

/// A new SQLite file, removed with this object.
class sqlite_test_database {
 public:
  sqlite_test_database() {
    std::string pattern = (std::filesystem::temp_directory_path() / "sk-queue-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
    directory_ = pattern;
  }
  ~sqlite_test_database() {
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }
  sqlite_test_database(const sqlite_test_database&) = delete;
  sqlite_test_database& operator=(const sqlite_test_database&) = delete;

  std::string url() const { return "sqlite://" + (directory_ / "jobs.db").string(); }
  /// The same database for those who need nothing to survive a power failure.
  std::string quick_url() const { return url() + "?synchronous=off"; }

 private:
  std::filesystem::path directory_;
};
