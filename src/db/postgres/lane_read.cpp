#include "db/postgres/lane_read.hpp"

#include "db/call_site.hpp"
#include "db/content_size.hpp"
#include "db/postgres/async_statement.hpp"
#include "db/postgres/second_chance.hpp"

#include <utility>

namespace scalekit::db::postgres {
namespace {

void begin(lane_member& m, const statement& query, statement_entry_ptr entry) {
  m.entry = std::move(entry);
  m.values = &query.parameters();
  m.bytes = detail::content_size(*m.values);
  // On the caller's thread, where the types of its parameters are known already.
  if (const auto* known = m.entry->described()) {
    try {
      m.parameters.encode(*m.values, known->parameters);
    } catch (...) {
      std::rethrow_exception(detail::with_place(std::current_exception(), query.site()));
    }
    m.encoded_for = known;
  }
}

}  // namespace

async_lane_read::async_lane_read(std::shared_ptr<backend> owner, const destination& to,
                                 statement&& query, call_options&& options,
                                 const detail::call_frame& frame, statement_entry_ptr known,
                                 std::shared_ptr<detail::async_call> call)
    : backend_(std::move(owner)),
      at_(*to.at),
      query_(std::move(query)),
      options_(std::move(options)),
      call_(std::move(call)),
      also_stop_(call_->stop()),
      frame_(frame) {
  frame_.stops = {&options_.stop, &also_stop_};
  frame_.scope = &options_.scope;
  entry = std::move(known);
  expect(to.of);
  if (backend_->routes().has_choice()) {
    under_way_ = std::make_unique<call_on_host>(backend_->routes(), at_, detail::access::read);
  } else {
    at_.reads.fetch_add(1, std::memory_order_relaxed);
  }
}

void async_lane_read::start(const std::shared_ptr<lane>& through) {
  begin(*this, query_, std::move(entry));
  auto self = shared_from_this();
  through->submit(self);
  if (!options_.stop.stop_possible() && !also_stop_.stop_possible()) return;
  // Only posts: it may run inside request_stop() of a thread that holds locks of its own.
  auto stop = [weak = weak_from_this(), through] {
    auto alive = weak.lock();
    if (!alive) return;
    through->abandon(alive, std::make_exception_ptr(alive->backend_->interruption(
                                wait_end::stopped, alive->frame_, alive->query_.site(), {})));
  };
  watching_ = std::make_unique<stop_watch>();
  if (options_.stop.stop_possible()) watching_->stop.emplace(options_.stop, stop);
  if (also_stop_.stop_possible()) watching_->also_stop.emplace(also_stop_, stop);
}

void async_lane_read::settle(std::exception_ptr failure) noexcept {
  if (unfit != misfit::none) {
    under_way_.reset();
    backend_->routes().note_misfit(at_, unfit, std::chrono::steady_clock::now());
    if (!run_again()) call_->finish(std::move(failure), {});
    return;
  }
  backend_->finish_lane_read(*this, at_, query_, frame_, call_->rows(), failure);
  if (!failure && under_way_) under_way_->answered();
  under_way_.reset();
  if (failure && run_elsewhere(failure)) return;
  call_->finish(std::move(failure), {});
}

bool async_lane_read::run_elsewhere(const std::exception_ptr& failure) {
  if (!backend_->routes().has_choice() || backend_->is_closing()) return false;
  return second_chance().allows(to_error(failure), detail::access::read, true) && run_again();
}

bool async_lane_read::run_again() {
  try {
    if (auto* rows = call_->rows()) rows->restart();
    const auto again =
        std::make_shared<async_statement>(backend_, detail::access::read, statement(query_),
                                          call_options(options_), frame_, entry, call_);
    if (unfit == misfit::none) again->failed_on(at_.id);
    again->start();
    return true;
  } catch (const std::exception&) {
    return false;
  }
}

blocking_lane_read::blocking_lane_read(const statement& query, statement_entry_ptr known,
                                       const detail::call_frame& frame)
    : query_(query), frame_(frame) {
  begin(*this, query_, std::move(known));
}

void blocking_lane_read::run(const std::shared_ptr<lane>& through, const backend& owner) {
  auto give_up = [&](wait_end why) {
    through->abandon(shared_from_this(),
                     std::make_exception_ptr(owner.interruption(why, frame_, query_.site(), {})));
  };
  through->submit(shared_from_this());
  {
    std::array<std::optional<std::stop_callback<std::function<void()>>>, 3> watching;
    for (std::size_t i = 0; i < watching.size(); ++i) {
      if (frame_.stops[i] == nullptr || !frame_.stops[i]->stop_possible()) continue;
      watching[i].emplace(*frame_.stops[i], [&] { give_up(wait_end::stopped); });
    }
    // The lane has the same deadline, and its loop is the client's own, which nothing holds up.
    over_.acquire();
  }
  if (failure_) std::rethrow_exception(failure_);
}

void blocking_lane_read::settle(std::exception_ptr failure) noexcept {
  failure_ = std::move(failure);
  over_.release();
}

}  // namespace scalekit::db::postgres
