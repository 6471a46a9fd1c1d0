#include "jobs/effects.hpp"

#include <scalekit/core/clock.hpp>

#include <tuple>

namespace storefront {

using scalekit::db::sql;

void send_confirmation(scalekit::db::client& db, const data_dir& dirs, std::string_view job_id,
                       std::string_view attempt, std::int64_t order_id) {
  // Perhaps another process has taken the order: this one's own writes say nothing about it.
  scalekit::db::call_options asked;
  asked.consistency = scalekit::db::consistency::primary();
  auto [email, total_cents] = db.read_one<std::tuple<std::string, std::int64_t>>(
      sql("select r.email, o.total_cents from orders o join retailer r on r.id = o.retailer_id "
          "where o.id = $1",
          order_id),
      asked);
  std::string mail = "To: " + email + "\r\nMessage-ID: <job-";
  mail.append(job_id).append("@storefront.example>\r\nSubject: Your order ");
  mail.append(std::to_string(order_id)).append("\r\n\r\nThank you. The total is ");
  mail.append(std::to_string(total_cents)).append(" cents.\r\n");
  // A mail server tells doubles apart by the Message-ID; a directory does it by the name.
  write_atomically(dirs.outbox / (std::string(job_id) + ".eml"), attempt, mail);
}

void note_confirmation(scalekit::db::transaction& tx, std::string_view job_id,
                       std::int64_t order_id) {
  tx.write(sql("insert into outbox (job_id, order_id, sent_at) values ($1, $2, $3)", job_id,
               order_id, scalekit::clock::system().wall_now()));
}

}  // namespace storefront
