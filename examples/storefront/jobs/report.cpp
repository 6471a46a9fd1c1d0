#include "jobs/effects.hpp"

#include <scalekit/core/clock.hpp>

#include <boost/describe/class.hpp>

namespace storefront {

using scalekit::db::sql;

namespace {

struct category_sales {
  std::string category;
  std::int64_t orders = 0;
  std::int64_t quantity = 0;
  std::int64_t revenue_cents = 0;
};
BOOST_DESCRIBE_STRUCT(category_sales, (), (category, orders, quantity, revenue_cents))

/// RFC 4180: quotes around a field, and double inside it.
std::string csv_field(std::string_view field) {
  std::string out = "\"";
  for (char c : field) {
    if (c == '"') out += '"';
    out += c;
  }
  return out += '"';
}

}  // namespace

std::int64_t write_report(scalekit::db::client& db, const data_dir& dirs, std::string_view job_id,
                          std::string_view attempt) {
  auto sales = db.read<category_sales>(
      sql("select p.category, count(distinct l.order_id) as orders, "
          "cast(sum(l.quantity) as bigint) as quantity, "
          "cast(sum(l.quantity * l.price_cents) as bigint) as revenue_cents "
          "from order_line l join product p on p.id = l.product_id "
          "group by p.category order by p.category"));
  std::string csv = "category,orders,quantity,revenue_cents\r\n";
  for (const auto& row : sales) {
    csv += csv_field(row.category) + ',' + std::to_string(row.orders) + ',' +
           std::to_string(row.quantity) + ',' + std::to_string(row.revenue_cents) + "\r\n";
  }
  write_atomically(dirs.reports / (std::string(job_id) + ".csv"), attempt, csv);
  return static_cast<std::int64_t>(csv.size());
}

void note_report(scalekit::db::transaction& tx, std::string_view job_id, std::int64_t bytes) {
  tx.write(sql("insert into report (job_id, bytes, written_at) values ($1, $2, $3)", job_id, bytes,
               scalekit::clock::system().wall_now()));
}

}  // namespace storefront
