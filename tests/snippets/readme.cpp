// The example of README.md.
#include <scalekit/cache.hpp>
#include <scalekit/cache/json_codec.hpp>
#include <scalekit/db.hpp>
#include <scalekit/limit.hpp>
#include <scalekit/queue.hpp>

#include <boost/describe.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <thread>

using namespace scalekit;
using namespace std::chrono_literals;

std::atomic<int> mailed{0};
void send_mail(queue::job_id /*idempotency_key*/, std::string_view) {
  ++mailed;
}

struct product {
  std::int64_t id;
  std::string name;
  std::int64_t stock;
};
BOOST_DESCRIBE_STRUCT(product, (), (id, name, stock))

//[shop
struct shop {
  db::client db = db::client::open("sqlite::memory:");  // or sqlite:///var/lib/shop.db
  cache::store cache = cache::store::open({.memory = {.max_bytes = 64 << 20}});
  limit::limiter limiter{{.rules = {{.name = "ip", .by = {"ip"}, .limit = 100, .per = 1s}}}};
  queue::queue jobs{db};

  bool admit(std::string_view address) { return limiter.check({limit::ip(address)}).allowed(); }

  std::optional<product> find(std::int64_t id) {  // one load a key at a time, however many ask
    auto key = "product:" + std::to_string(id);
    auto load = [&] {
      return db.read_optional<product>(db::sql("select * from product where id = $1", id));
    };
    return cache.get_or_load<product>(key, cache::ttl::product, load).value;
  }

  void order(std::int64_t id, int quantity) {  // stock and mail: both or neither
    db.transaction([&](db::transaction& tx) {
      tx.write(db::sql("update product set stock = stock - $1 where id = $2", quantity, id));
      jobs.enqueue(tx, "send_mail", "order confirmed", {.priority = queue::high});
    });
    cache.erase("product:" + std::to_string(id));
  }
};
//]

int main() {
  shop s;
  s.jobs.migrate();
  s.db.run_script(
      "create table product(id integer primary key, name text not null, stock integer not null);"
      "insert into product values (1, 'sofa', 10);");
  queue::worker worker(s.jobs, {.concurrency = 2});
  worker.on("send_mail", [](queue::attempt& a) { send_mail(a.id(), a.payload()); });
  worker.start();

  if (!s.admit("192.0.2.7") || s.find(1)->stock != 10) return 1;
  s.order(1, 3);
  s.jobs.wake();
  if (s.find(1)->stock != 7) return 1;
  for (int i = 0; i < 500 && mailed == 0; ++i) std::this_thread::sleep_for(20ms);
  worker.stop(5s);
  std::printf("stock 7, mails %d\n", mailed.load());
  return mailed == 1 ? 0 : 1;
}
