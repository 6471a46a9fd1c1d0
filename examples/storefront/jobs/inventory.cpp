#include "jobs/effects.hpp"

#include <scalekit/core/clock.hpp>

namespace storefront {

void book_movements(scalekit::db::transaction& tx, std::string_view job_id, std::int64_t order_id) {
  // The stock itself went down when the order was placed; this is the warehouse's book.
  tx.write(scalekit::db::sql(
      "insert into inventory_movement (job_id, product_id, order_id, quantity, moved_at) "
      "select cast($1 as text), product_id, $2, -sum(quantity), cast($3 as bigint) "
      "from order_line where order_id = $2 group by product_id",
      job_id, order_id, scalekit::clock::system().wall_now()));
}

}  // namespace storefront
