#include "catalogue.hpp"

#include <boost/describe/class.hpp>

#include <stdexcept>

namespace demo {

using scalekit::db::sql;

BOOST_DESCRIBE_STRUCT(catalogue::product, (), (id, name))

catalogue read_catalogue(const shop_location& shop) {
  auto db = open_books(shop);
  catalogue found;
  found.products = db.read<catalogue::product>(sql("select id, name from product order by id"));
  found.categories = db.read<std::string>(
      sql("select category from product group by category order by count(*) desc, category"));
  if (found.products.empty()) throw std::runtime_error("the catalogue is empty");
  return found;
}

}  // namespace demo
