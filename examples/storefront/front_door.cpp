#include "front_door.hpp"

#include "http/problem.hpp"
#include "pages/pages.hpp"

#include <scalekit/limit/identity.hpp>

#include <chrono>

namespace storefront {
namespace {

namespace asio = boost::asio;

/// Counts for as long as it lives.
class counted {
 public:
  explicit counted(std::atomic<int>& count) : count_(count), now_(++count) {}
  ~counted() { --count_; }
  counted(const counted&) = delete;
  counted& operator=(const counted&) = delete;
  int now() const { return now_; }

 private:
  std::atomic<int>& count_;
  int now_;
};

/// A load balancer that asks whether we live must get its answer also when we are overrun.
bool is_probe(std::string_view path) {
  return path == "/healthz" || path == "/readyz";
}

}  // namespace

front_door::front_door(shop& owner, int most_under_way)
    : shop_(owner), most_under_way_(most_under_way) {
  add_product_pages(routes_, shop_);
  add_order_pages(routes_, shop_);
  add_account_pages(routes_, shop_);
  add_operator_pages(routes_, shop_);
}

asio::awaitable<response> front_door::answer(http_message message, std::string peer) {
  auto began = std::chrono::steady_clock::now();
  response result;
  try {
    request incoming(std::move(message), std::move(peer));
    result = co_await handle(incoming);
  } catch (const problem& wrong) {
    result = wrong.to_response();
  }
  shop_.answered.count(result.status, std::chrono::steady_clock::now() - began);
  co_return result;
}

asio::awaitable<response> front_door::handle(request& incoming) {
  // The cheapest refusal comes first: an abuser must cost less than a customer.
  shop_.limiter.identify(incoming);
  const bool probe = is_probe(incoming.path());
  if (!probe) {
    auto decision = shop_.limiter.check_client(incoming);
    if (!decision.allowed()) throw too_many_requests(decision);
  }
  counted under_way(under_way_);
  if (!probe && under_way.now() > most_under_way_)
    throw to_problem({scalekit::errc::shed, "front door"});

  auto match = routes_.find(incoming.verb(), incoming.path());
  if (match.found == nullptr && match.allowed.empty()) throw not_found("there is no such page");
  if (match.found == nullptr) {
    throw problem(405, "method-not-allowed", "this page has other methods")
        .with_headers({{"Allow", match.allowed}});
  }
  incoming.captures = std::move(match.captures);
  // Named by the route, not by the path: reports group by it. A malformed trace is no trace.
  auto trace =
      scalekit::trace_context::parse(incoming.header("traceparent"), incoming.header("tracestate"));
  incoming.scope = scalekit::request_scope::begin(
      match.found->name, trace ? std::move(*trace) : scalekit::trace_context());
  std::exception_ptr thrown;
  try {
    co_return co_await match.found->handle(incoming);
  } catch (...) {
    thrown = std::current_exception();
  }
  co_return to_response(thrown, incoming);
}

response front_door::to_response(std::exception_ptr thrown, const request& incoming) const {
  try {
    std::rethrow_exception(thrown);
  } catch (const problem& wrong) {
    return wrong.to_response();
  } catch (const scalekit::error& failure) {
    auto answer = to_problem(failure);
    // What the client does not get to see, the operator does. Being busy passes by itself.
    auto level = is_storage_failure(failure.code()) || answer.status() != 503
                     ? scalekit::log_level::error
                     : scalekit::log_level::debug;
    shop_.log(level, "storefront.request.failed", failure.what(),
              {{"route", incoming.scope.name()}});
    return answer.to_response();
  } catch (const std::exception& bug) {
    shop_.log(scalekit::log_level::error, "storefront.request.failed", bug.what(),
              {{"route", incoming.scope.name()}});
    return problem(500, "internal", "something went wrong on our side").to_response();
  }
}

}  // namespace storefront
