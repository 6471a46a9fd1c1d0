#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace demo {

/// The command line.
struct options {
  /// The server's program.
  std::filesystem::path storefront;
  /// Where the shops of the demo live; the imported catalogue in it is used again.
  std::filesystem::path dir = "storefront-demo";
  /// As the storefront's own option.
  std::string catalogue = "auto";
  /// Length of each measured run.
  std::chrono::seconds phase{12};
  /// Load of the runs (b) to (d), as a multiple of the capacity that (a) found. On PostgreSQL 1.25.
  double factor = 1.5;
  std::uint64_t seed = 1;
  /// Beside a server for the cache that the demo starts, and kills in the middle of a run.
  enum class cache_kind { none, redis, memcached } cache = cache_kind::none;
  /// On a PostgreSQL primary and two replicas that the demo starts, instead of SQLite.
  bool postgres = false;
};

/// Nothing when only --help was asked for. Throws std::invalid_argument for what is wrong.
std::optional<options> parse_command_line(int argc, char** argv);

}  // namespace demo
