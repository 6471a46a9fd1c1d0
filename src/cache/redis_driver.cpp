#include "cache/redis_driver.hpp"

#include "cache/redis_scripts.hpp"
#include "cache/shared_frame.hpp"
#include "scalekit/redis/command.hpp"
#include "scalekit/redis/from_reply.hpp"

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/system_executor.hpp>

#include <chrono>
#include <cstdint>
#include <exception>
#include <initializer_list>
#include <utility>

namespace scalekit::cache::detail {
namespace {

using redis::command;

/// How long a placeholder waits for its value. A load that takes longer is not stored.
constexpr std::chrono::milliseconds lease = std::chrono::seconds(60);

/// What was sent twice by then has done no more than once.
bool may_repeat(shared_verb verb) noexcept {
  // A set that is sent again may come after what has replaced it meanwhile.
  return verb != shared_verb::put && verb != shared_verb::fill;
}

using texts = std::vector<std::optional<std::string>>;

/// The epoch and what stands under keys, as find and claim tell it.
shared_answer found_in(texts told) {
  shared_answer answer;
  const bool has_epoch = !told.empty() && told[0] && is_epoch(*told[0]);
  for (std::size_t i = 1; i < told.size(); ++i) {
    auto& each = told[i];
    if (each && !(has_epoch && is_alive(*each, *told[0]))) each.reset();
    answer.found.push_back(std::move(each));
  }
  return answer;
}

shared_answer answer_of(shared_verb verb, redis::reply&& reply) {
  switch (verb) {
    case shared_verb::find:
    case shared_verb::claim:
      return found_in(redis::from_reply<texts>(std::move(reply)));
    case shared_verb::fill:
      return {.stored = {redis::from_reply<bool>(std::move(reply))}};
    case shared_verb::put: {
      shared_answer answer;
      for (const auto each : redis::from_reply<std::vector<int>>(std::move(reply))) {
        answer.stored.push_back(each != 0);
      }
      return answer;
    }
    case shared_verb::erase:
    case shared_verb::clear:
      break;
  }
  return {};
}

}  // namespace

redis_driver::redis_driver(redis::client client, const std::string& name_space)
    : client_(std::move(client)), name_(client_.statistics().server), names_(name_space) {}

std::vector<std::string> redis_driver::names_of(const std::vector<std::string>& keys) const {
  std::vector<std::string> names;
  names.reserve(keys.size());
  for (const auto& key : keys) names.push_back(names_.of(key));
  return names;
}

/// `use(call)` with the command or the script that asks for it.
template <class Use>
auto redis_driver::with_call(const shared_request& what, Use use) {
  switch (what.verb) {
    case shared_verb::find:
      return use(command("MGET", names_.epoch, names_of(what.keys)));
    case shared_verb::claim:
      return use(claim_script()({names_.epoch, names_.of(what.keys.at(0))},
                                random_bytes(random_, epoch_bytes),
                                random_bytes(random_, token_bytes), lease.count()));
    case shared_verb::fill: {
      const auto& item = what.items.at(0);
      return use(fill_script()({names_.epoch, names_.of(item.key)}, what.expected, item.bytes,
                               item.ttl.count()));
    }
    case shared_verb::put: {
      std::vector<std::string> names{names_.epoch};
      for (const auto& item : what.items) names.push_back(names_.of(item.key));
      auto call = put_script().with_keys(names, random_bytes(random_, epoch_bytes));
      for (const auto& item : what.items) std::move(call).add(item.ttl.count()).add(item.bytes);
      return use(std::move(call));
    }
    case shared_verb::erase:
      return use(command("UNLINK", names_of(what.keys)));
    case shared_verb::clear:
      break;
  }
  return use(command("SET", names_.epoch, random_bytes(random_, epoch_bytes)));
}

shared_answer redis_driver::run(const shared_request& what, const deadline& until) {
  const redis::call_options options{.timeout = until.remaining(),
                                    .idempotent = may_repeat(what.verb)};
  return with_call(what, [&](auto call) {
    return answer_of(what.verb, client_.call<redis::reply>(std::move(call), options));
  });
}

void redis_driver::start(const shared_request& what, const deadline& until, std::stop_token stop,
                         callback then) {
  // On the thread that has the answer: what follows is short, and goes to its caller's executor.
  auto finish = boost::asio::bind_executor(
      boost::asio::system_executor(),
      [verb = what.verb, then = std::move(then)](std::exception_ptr e, redis::reply reply) {
        shared_result result;
        try {
          if (e) std::rethrow_exception(e);
          result.answer = answer_of(verb, std::move(reply));
        } catch (...) {
          result.failure = to_error(std::current_exception());
        }
        then(std::move(result));
      });
  redis::call_options options{
      .timeout = until.remaining(), .stop = std::move(stop), .idempotent = may_repeat(what.verb)};
  with_call(what, [&](auto call) {
    client_.async_call<redis::reply>(std::move(call), std::move(options), std::move(finish));
  });
}

}  // namespace scalekit::cache::detail
