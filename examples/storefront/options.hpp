#pragma once

#include "catalogue/source.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace storefront {

/// How the shop serves: with the library's cache and queue, or with neither.
enum class serving_mode {
  full,
  /// No cache; what would be a job is done inside the request. Exists to be compared with.
  direct,
};

/// The command line.
struct options {
  std::uint16_t port = 8080;
  std::filesystem::path dir = "storefront-data";
  /// A URL for db::client::open. Empty: a SQLite file in `dir`.
  std::string database;
  /// A URL for cache::store_params::shared: pages are kept there as well, for all shops of one
  /// database. Empty: in each shop's memory only.
  std::string cache;
  /// Holds what page cursors are signed with. Empty: a file in `dir`, made at the first start.
  std::filesystem::path secret_file;
  serving_mode mode = serving_mode::full;
  catalogue_choice catalogue;
  /// Event loops.
  std::size_t threads = 1;
  /// True: an order is on the disk before it is acknowledged. False: a power failure may lose the
  /// last ones; a crash of the process never does. Of SQLite only.
  bool sync_full = true;
  /// Requests a second that one client may make, and as many again in a burst.
  std::uint32_t client_rate = 200;
};

/// Nothing when only --help was asked for. Throws std::invalid_argument for what is wrong.
std::optional<options> parse_command_line(int argc, char** argv);

}  // namespace storefront
