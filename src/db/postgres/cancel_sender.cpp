#include "db/postgres/cancel_sender.hpp"

#include <system_error>
#include <thread>
#include <utility>

namespace scalekit::db::postgres {

cancel_ticket cancel_sender::send(cancel_ptr request) {
  std::promise<bool> done;
  auto ticket = done.get_future().share();
  if (!request || under_way_->fetch_add(1) >= most_at_once) {
    if (request) under_way_->fetch_sub(1);
    done.set_value(false);
    return ticket;
  }
  auto send_it = [request = std::move(request), done = std::move(done),
                  under_way = under_way_]() mutable {
    const bool sent = postgres::send(request);
    request.reset();
    under_way->fetch_sub(1);
    done.set_value(sent);
  };
  try {
    std::thread(std::move(send_it)).detach();
  } catch (const std::system_error&) {
    // No thread to be had. The promise went with the task: whoever waits must not throw for it.
    under_way_->fetch_sub(1);
    std::promise<bool> refused;
    refused.set_value(false);
    return refused.get_future().share();
  }
  return ticket;
}

}  // namespace scalekit::db::postgres
