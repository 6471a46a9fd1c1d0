#include "shop_audit.hpp"

namespace storefront_test {

using scalekit::db::sql;

namespace {

std::string lines(const std::vector<std::string>& wrong) {
  std::string text;
  for (const auto& one : wrong) text += one + "\n";
  return text;
}

}  // namespace

shop_audit::shop_audit(const std::filesystem::path& dir)
    : dir_(dir), db_(scalekit::db::client::open("sqlite://" + (dir / "shop.db").string())) {}

std::string shop_audit::lost(const std::vector<acknowledged_order>& orders) {
  std::vector<std::string> wrong;
  for (const auto& order : orders) {
    auto name = "order " + std::to_string(order.id);
    auto there = [&](const scalekit::db::statement& count) {
      return db_.read_one<std::int64_t>(count) > 0;
    };
    if (!there(sql("select count(*) from orders where id = $1", order.id))) {
      wrong.push_back(name);
    }
    if (!there(sql("select count(*) from payment where job_id = $1 and order_id = $2",
                   order.payment_job, order.id))) {
      wrong.push_back(name + ": payment");
    }
    if (!there(sql("select count(*) from inventory_movement where job_id = $1 and order_id = $2",
                   order.inventory_job, order.id))) {
      wrong.push_back(name + ": inventory");
    }
    if (!there(sql("select count(*) from outbox where job_id = $1 and order_id = $2",
                   order.email_job, order.id)) ||
        !std::filesystem::exists(dir_ / "outbox" / (order.email_job + ".eml"))) {
      wrong.push_back(name + ": email");
    }
  }
  return lines(wrong);
}

std::string shop_audit::lost(const std::vector<acknowledged_job>& jobs) {
  std::vector<std::string> wrong;
  for (const auto& job : jobs) {
    const bool report = job.kind == "report";
    auto booked = db_.read_one<std::int64_t>(
        report ? sql("select count(*) from report where job_id = $1", job.id)
               : sql("select count(*) from backup where job_id = $1", job.id));
    auto file = report ? dir_ / "reports" / (job.id + ".csv") : dir_ / "backups" / (job.id + ".db");
    if (booked != 1 || !std::filesystem::exists(file)) wrong.push_back(job.kind + " " + job.id);
  }
  return lines(wrong);
}

std::string shop_audit::done_twice() {
  // The tables' keys forbid two effects of one job or one order, so what is left to look for is an
  // effect under another name than the order's own job.
  auto wrong = db_.read<std::string>(
      sql("select 'payment ' || p.job_id from payment p left join orders o "
          "on o.id = p.order_id and o.payment_job = p.job_id where o.id is null "
          "union all select 'movement ' || m.job_id from inventory_movement m left join orders o "
          "on o.id = m.order_id and o.inventory_job = m.job_id where o.id is null "
          "union all select 'outbox ' || b.job_id from outbox b left join orders o "
          "on o.id = b.order_id and o.email_job = b.job_id where o.id is null"));
  auto compare = [&](const char* part, const char* extension,
                     const scalekit::db::statement& count) {
    std::int64_t files = 0;
    for (const auto& entry : std::filesystem::directory_iterator(dir_ / part)) {
      if (entry.path().extension() == extension) ++files;
    }
    auto noted = db_.read_one<std::int64_t>(count);
    if (files == noted) return;
    wrong.push_back(std::to_string(files) + " files in " + part + " of " + std::to_string(noted) +
                    " jobs");
  };
  compare("outbox", ".eml", sql("select count(*) from outbox"));
  compare("reports", ".csv", sql("select count(*) from report"));
  compare("backups", ".db", sql("select count(*) from backup"));
  return lines(wrong);
}

std::string shop_audit::miscounted() {
  return lines(db_.read<std::string>(
      sql("select 'product ' || p.id from product p where p.stock < 0 "
          "or p.stock + (select coalesce(sum(quantity), 0) from order_line "
          "              where product_id = p.id) <> p.initial_stock "
          "or p.stock - (select coalesce(sum(quantity), 0) from inventory_movement "
          "              where product_id = p.id) <> p.initial_stock")));
}

std::int64_t shop_audit::orders() {
  return db_.read_one<std::int64_t>(sql("select count(*) from orders"));
}

}  // namespace storefront_test
