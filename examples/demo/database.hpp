#pragma once

#include <scalekit/db/client.hpp>

#include <filesystem>
#include <string>
#include <utility>

namespace demo {

/// Where a shop keeps its data.
struct shop_location {
  shop_location(std::filesystem::path its_dir, std::string its_database = {})  // NOLINT: by intent
      : dir(std::move(its_dir)), database(std::move(its_database)) {}

  bool has_server() const noexcept { return !database.empty(); }

  std::filesystem::path dir;
  /// The storefront's --database; empty for the SQLite file in `dir`.
  std::string database;
};

/// A shop's database, to be looked at while no shop runs. Throws scalekit::error.
scalekit::db::client open_books(const shop_location& shop);

}  // namespace demo
