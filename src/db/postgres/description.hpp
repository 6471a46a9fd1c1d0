#pragma once

#include "db/postgres/pq.hpp"
#include "db/postgres/wire_decode.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace scalekit::db::postgres {

/// What the server says of a prepared statement: the types of its parameters and its columns.
/// Never changes once made; shared by connections and callers.
struct description {
  struct column {
    std::string name;
    std::uint32_t type = 0;
    decode_function decode = nullptr;
  };

  std::vector<std::uint32_t> parameters;
  std::vector<column> columns;
  /// 1 for binary; 0 for text, where a column is of a type that has no binary decoder here.
  int format = 1;

  /// From the result of PQsendDescribePrepared().
  static std::shared_ptr<const description> from(const PGresult* described);

  /// From rows of a statement whose parameters are known already.
  static std::shared_ptr<const description> from_rows(const PGresult* rows,
                                                      std::vector<std::uint32_t> parameters);

  /// Whether `rows` have these columns.
  bool fits(const PGresult* rows) const noexcept;

  /// Whether both would be sent and read alike.
  friend bool operator==(const description& a, const description& b) noexcept;
};

using description_ptr = std::shared_ptr<const description>;

}  // namespace scalekit::db::postgres
