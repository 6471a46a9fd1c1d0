#pragma once

#include "catalogue/package_record.hpp"

#include <cstdint>
#include <functional>
#include <string_view>

namespace storefront {

/// Where the catalogue comes from.
struct catalogue_choice {
  enum class kind { automatic, apt, generated };

  kind from = kind::automatic;
  /// Products to generate. Range 1 to 1'000'000.
  std::int64_t count = 20'000;
};

/// "auto", "apt", "generated" or "generated:N". Throws std::invalid_argument for anything else.
catalogue_choice parse_catalogue_choice(std::string_view text);

using record_sink = std::function<void(package_record)>;

/// Feeds the machine's package index to `sink`. Returns the number of records; 0 when there is no
/// apt here, or its lists were never fetched. Throws std::runtime_error when apt fails half-way.
std::int64_t read_apt_index(const record_sink& sink);

/// Feeds `count` made-up records to `sink`, always the same ones.
void generate_records(std::int64_t count, const record_sink& sink);

}  // namespace storefront
