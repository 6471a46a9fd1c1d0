#include "db/postgres/description.hpp"

#include <algorithm>
#include <utility>

namespace scalekit::db::postgres {

description_ptr description::from(const PGresult* described) {
  auto made = std::make_shared<description>();
  for (int i = 0; i < PQnparams(described); ++i) {
    made->parameters.push_back(PQparamtype(described, i));
  }
  const int columns = PQnfields(described);
  for (int i = 0; i < columns; ++i) {
    if (!is_binary_decodable(PQftype(described, i))) made->format = 0;
  }
  for (int i = 0; i < columns; ++i) {
    const std::uint32_t type = PQftype(described, i);
    const auto decode = made->format == 1 ? decoder_for(type) : text_decoder_for(type);
    made->columns.push_back({PQfname(described, i), type, decode});
  }
  return made;
}

description_ptr description::from_rows(const PGresult* rows,
                                       std::vector<std::uint32_t> parameters) {
  auto made = std::make_shared<description>();
  made->parameters = std::move(parameters);
  const int columns = PQnfields(rows);
  if (columns > 0) made->format = PQfformat(rows, 0);
  for (int i = 0; i < columns; ++i) {
    const std::uint32_t type = PQftype(rows, i);
    const auto decode = made->format == 1 ? decoder_for(type) : text_decoder_for(type);
    made->columns.push_back({PQfname(rows, i), type, decode});
  }
  return made;
}

bool description::fits(const PGresult* rows) const noexcept {
  if (static_cast<std::size_t>(PQnfields(rows)) != columns.size()) return false;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const int at = static_cast<int>(i);
    if (PQftype(rows, at) != columns[i].type || columns[i].name != PQfname(rows, at)) return false;
  }
  return true;
}

bool operator==(const description& a, const description& b) noexcept {
  return a.parameters == b.parameters && a.format == b.format &&
         std::ranges::equal(a.columns, b.columns, [](const auto& x, const auto& y) {
           return x.type == y.type && x.name == y.name;
         });
}

}  // namespace scalekit::db::postgres
