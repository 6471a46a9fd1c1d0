// The code blocks of docs/queue.md.

//[smallest
#include <scalekit/db.hpp>
#include <scalekit/queue.hpp>

namespace db = scalekit::db;
namespace queue = scalekit::queue;
using namespace std::chrono_literals;

void send(std::string_view mail, queue::job_id idempotency_key);

void remind(queue::queue& jobs) {
  jobs.enqueue("send_email", "ann@example.com: your order is on its way");
  jobs.enqueue("send_email", "bob@example.com: how was it?",
               {.priority = queue::low, .run_in = 72h});
}

queue::worker start_mailer(queue::queue& jobs) {
  queue::worker mailer(jobs, {.concurrency = 4});
  mailer.on("send_email", [](queue::attempt& a) { send(a.payload(), a.id()); });
  mailer.start();
  return mailer;
}
//]

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <thread>

namespace {

std::atomic<int> sent{0};

//[in_transaction
queue::job_id place_order(db::client& shop, queue::queue& jobs, int product, int pieces) {
  return shop.transaction([&](db::transaction& tx) {
    tx.write(db::sql("update product set stock = stock - $1 where id = $2", pieces, product));
    return jobs.enqueue(tx, "confirm_order", std::to_string(product));
  });
}
//]

//[exactly_once
void take_payments(queue::worker& w, db::client& shop) {
  w.on("take_payment", [&shop](queue::attempt& a) {
    shop.transaction([&](db::transaction& tx) {
      tx.write(db::sql("insert into payment (job) values ($1)", a.id()));
      a.complete_in(tx);
    });
  });
}
//]

//[outcomes
queue::outcome export_report(queue::attempt& a) {
  if (a.payload().empty()) return queue::bury("the payload names no report");
  if (a.number() == 1) return queue::snooze(0s);  // not yet
  return queue::outcome::done();
}

void serve_reports(queue::worker& w) {
  w.on("report", export_report,
       {.retry = scalekit::backoff_params{.base = 5s, .cap = 1min}, .attempt_timeout = 30min});
}
//]

//[long_job
void back_up(queue::attempt& a) {
  for (int part = 0; part < 100; ++part) {
    if (a.stop_token().stop_requested()) throw std::runtime_error("stopped");
    // ... copy a part ...
    if (part % 10 == 0) a.heartbeat();
  }
}
//]

//[dead_letters
std::size_t redrive_all(queue::queue& jobs) {
  std::size_t redriven = 0;
  queue::job_id last = 0;
  for (auto page = jobs.dead_letters(100, last); !page.empty();
       page = jobs.dead_letters(100, last)) {
    for (const auto& letter : page) {
      std::printf("%lld %s: %s\n", static_cast<long long>(letter.id), letter.kind.c_str(),
                  letter.reason.c_str());
      redriven += jobs.redrive(letter.id);
      last = letter.id;
    }
  }
  return redriven;
}
//]

bool wait_until_gone(queue::queue& jobs, queue::job_id id) {
  for (int i = 0; i < 2000; ++i) {
    if (jobs.status(id)->state == queue::job_state::finished) return true;
    std::this_thread::sleep_for(5ms);
  }
  return false;
}

}  // namespace

void send(std::string_view, queue::job_id) {
  ++sent;
}

int main() {
  auto shop = db::client::open("sqlite::memory:");
  shop.write(db::sql("create table product (id integer primary key, stock integer not null)"));
  shop.write(db::sql("create table payment (job integer primary key)"));
  shop.write(db::sql("insert into product (id, stock) values (1, 10)"));
  queue::queue jobs(shop);
  jobs.migrate();

  remind(jobs);
  auto mailer = start_mailer(jobs);
  queue::worker w(jobs);
  take_payments(w, shop);
  serve_reports(w);
  w.on("back_up", back_up);
  w.on("confirm_order", [](queue::attempt&) {});
  w.start();

  bool ok = wait_until_gone(jobs, place_order(shop, jobs, 1, 2));
  ok = ok && wait_until_gone(jobs, jobs.enqueue("take_payment", ""));
  ok = ok && wait_until_gone(jobs, jobs.enqueue("back_up", ""));
  const auto bad = jobs.enqueue("report", "");
  while (ok && jobs.status(bad)->state != queue::job_state::dead) {
    std::this_thread::sleep_for(5ms);
  }
  ok = ok && redrive_all(jobs) == 1;
  w.stop(5s);
  mailer.stop(5s);
  ok = ok && sent == 1 && jobs.stats().scheduled >= 1;
  return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
