#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace storefront {

/// Where everything of one shop lives.
struct data_dir {
  /// Creates what is missing. Throws std::filesystem::filesystem_error.
  explicit data_dir(const std::filesystem::path& root);

  /// The URL of the database, for db::client::open.
  std::string database_url() const;

  std::filesystem::path database;
  std::filesystem::path cache;
  std::filesystem::path cache_fallback;
  std::filesystem::path sessions;
  std::filesystem::path outbox;
  std::filesystem::path reports;
  std::filesystem::path backups;
  std::filesystem::path cursor_secret;
};

/// Makes `target` hold `content`: all of it or, whatever happens, nothing.
///
/// Written under a temporary name that contains `attempt`, so that two attempts of one job never
/// write to the same file, then renamed. A second attempt replaces the first one's file by the
/// same name. Throws std::system_error.
void write_atomically(const std::filesystem::path& target, std::string_view attempt,
                      std::string_view content);

/// The same, but a `target` that is there stays: of several who write it, one is the first.
void write_once(const std::filesystem::path& target, std::string_view attempt,
                std::string_view content);

/// Renames a finished file to its final name, and returns when not even a power failure can undo
/// that: its content and its name are on the disk. Throws std::system_error.
void put_in_place(const std::filesystem::path& finished, const std::filesystem::path& target);

}  // namespace storefront
