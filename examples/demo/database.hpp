#pragma once

#include <scalekit/db/client.hpp>

#include <filesystem>

namespace demo {

/// A shop's database, to be looked at while no server runs. Throws scalekit::error.
scalekit::db::client open_read_only(const std::filesystem::path& file);

}  // namespace demo
