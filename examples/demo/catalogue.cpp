#include "catalogue.hpp"

#include "database.hpp"

#include <boost/describe/class.hpp>

#include <stdexcept>

namespace demo {

using scalekit::db::sql;

BOOST_DESCRIBE_STRUCT(catalogue::product, (), (id, name))

catalogue read_catalogue(const std::filesystem::path& database) {
  auto db = open_read_only(database);
  catalogue found;
  found.products = db.read<catalogue::product>(sql("select id, name from product order by id"));
  found.categories = db.read<std::string>(
      sql("select category from product group by category order by count(*) desc, category"));
  if (found.products.empty()) throw std::runtime_error("the catalogue is empty");
  return found;
}

}  // namespace demo
