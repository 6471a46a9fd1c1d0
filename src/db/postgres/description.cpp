#include "db/postgres/description.hpp"

#include <algorithm>

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

bool operator==(const description& a, const description& b) noexcept {
  return a.parameters == b.parameters &&
         std::ranges::equal(a.columns, b.columns, [](const auto& x, const auto& y) {
           return x.type == y.type && x.name == y.name;
         });
}

}  // namespace scalekit::db::postgres
