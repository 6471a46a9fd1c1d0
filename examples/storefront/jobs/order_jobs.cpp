#include "jobs/effects.hpp"
#include "jobs/jobs.hpp"

#include <charconv>

namespace storefront {
namespace {

namespace queue = scalekit::queue;

std::int64_t order_of(const queue::attempt& attempt) {
  auto text = attempt.payload();
  std::int64_t order = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), order);
  if (error != std::errc{} || end != text.data() + text.size()) {
    // No retry will make it a number.
    throw queue::bury("the payload is not an order id");
  }
  return order;
}

}  // namespace

void add_order_jobs(queue::worker& worker, shop& shop) {
  //[payment-job
  // Effects in the queue's own database: the row and the end of the job are one commit, so they
  // happen exactly once, whoever dies when.
  worker.on("payment", [&shop](queue::attempt& attempt) {
    shop.db.transaction([&](scalekit::db::transaction& tx) {
      take_payment(tx, std::to_string(attempt.id()), order_of(attempt));
      attempt.complete_in(tx);
    });
  });
  //]
  worker.on("inventory", [&shop](queue::attempt& attempt) {
    shop.db.transaction([&](scalekit::db::transaction& tx) {
      book_movements(tx, std::to_string(attempt.id()), order_of(attempt));
      attempt.complete_in(tx);
    });
  });
  //[email-job
  // An effect elsewhere may be done again when we die between it and the commit: so it is done
  // under the job's id, where a second time is seen to be the same one.
  worker.on("email", [&shop](queue::attempt& attempt) {
    auto job = std::to_string(attempt.id());
    auto order = order_of(attempt);
    send_confirmation(shop.db, shop.dirs, job, to_string(attempt.lease()), order);
    shop.db.transaction([&](scalekit::db::transaction& tx) {
      note_confirmation(tx, job, order);
      attempt.complete_in(tx);
    });
  });
  //]
}

}  // namespace storefront
