#include "jobs/effects.hpp"

#include <scalekit/core/clock.hpp>

namespace storefront {

void take_payment(scalekit::db::transaction& tx, std::string_view job_id, std::int64_t order_id) {
  // No "on conflict do nothing": the queue promises that this runs once, and if it did not, the
  // primary key would tell.
  tx.write(
      scalekit::db::sql("insert into payment (job_id, order_id, amount_cents, paid_at) "
                        "select $1, id, total_cents, $3 from orders where id = $2",
                        job_id, order_id, scalekit::clock::system().wall_now()));
}

}  // namespace storefront
