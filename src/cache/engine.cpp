#include "cache/engine.hpp"

#include "cache/validate.hpp"

#include <utility>

namespace scalekit::cache {

using detail::hashed_key;
using detail::load_outcome;
using detail::raw_lookup;

namespace {

/// Takes whatever it is given.
class copying_port final : public detail::value_port {
 public:
  std::string* buffer() noexcept override { return &bytes; }
  bool accept(std::string&& given) noexcept override {
    bytes = std::move(given);
    return true;
  }
  bool accept(pinned_bytes&& given) noexcept override {
    bytes = given.view();
    return true;
  }

  std::string bytes;
};

}  // namespace

error closed_error() {
  return {errc::closed, "the cache is closed"};
}

void store::state::enter(std::string_view call, std::string_view key,
                         const call_options& options) const {
  born.check(call);
  if (closed.load(std::memory_order_relaxed)) throw closed_error();
  detail::validate_key(key);
  detail::validate(options);
}

void store::state::enter_blocking(std::string_view call, std::string_view key,
                                  const call_options& options, bool always_blocks) const {
  enter(call, key, options);
  if (always_blocks || table.has_files()) io_thread_mark::check_blocking_allowed(call);
}

void store::state::count_miss(std::string_view type) {
  misses.add();
  if (!type.empty()) table.types()[table.types().number(type)].misses.add();
}

raw_lookup store::state::read(const hashed_key& key, detail::value_port& port) {
  if (auto found = table.find_in_memory(key, port)) return *found;
  if (table.has_files()) {
    if (auto found = table.find_in_file(key, table.place_of(key), port)) return *found;
  }
  count_miss({});
  return {};
}

void store::state::refuse_own_key(std::string_view key) const {
  if (!detail::loading_mark::is_loading(this, key)) return;
  throw error(errc::not_allowed,
              "a loader asked the cache for the key that it is loading: it would wait for itself");
}

std::shared_ptr<detail::flight> store::state::join(const hashed_key& key, std::string_view type) {
  auto load = flights.join(key.text, key.hash, table.token_of(table.place_of(key)));
  if (load) {
    count_miss(type);
    coalesced.add();
  }
  return load;
}

store::state::boarding store::state::board(const hashed_key& key, std::string_view type,
                                           detail::value_port& port) {
  refuse_own_key(key.text);
  const auto at = table.place_of(key);
  boarding result;
  result.seat.load = join(key, type);
  if (result.seat.load) return result;
  // Taken before the look: a set that is done between the two must win over this load.
  const auto token = table.token_of(at);
  result.found = table.find_in_file(key, at, port);
  if (result.found) return result;
  result.seat = flights.join_or_begin(key.text, key.hash, token);
  if (result.seat.is_leader) result.found = look_again(result.seat.load, key, at, port);
  if (result.found) return result;
  count_miss(type);
  if (!result.seat.is_leader) coalesced.add();
  return result;
}

std::optional<raw_lookup> store::state::look_again(const std::shared_ptr<detail::flight>& load,
                                                   const hashed_key& key,
                                                   const detail::tiers::place& at,
                                                   detail::value_port& port) {
  copying_port copy;
  std::optional<raw_lookup> found;
  try {
    found =
        table.has_memory() ? table.find_in_memory(key, copy) : table.find_in_file(key, at, copy);
    if (!found) return std::nullopt;
    if (found->freshness == freshness::fresh && !port.accept(std::string(copy.bytes))) {
      return std::nullopt;
    }
  } catch (...) {
    finish(load, key, {nullptr, std::current_exception()});
    throw;
  }
  load_outcome outcome;
  if (found->freshness == freshness::fresh) {
    outcome.bytes = std::make_shared<const std::string>(std::move(copy.bytes));
  }
  finish(load, key, outcome);
  return found;
}

void store::state::finish(const std::shared_ptr<detail::flight>& load, const hashed_key& key,
                          const load_outcome& outcome) {
  flights.remove(key.text, key.hash, load);
  load->end(outcome);
}

load_outcome store::state::lead(const std::shared_ptr<detail::flight>& load, const hashed_key& key,
                                const policy& how, const detail::raw_loader& loader,
                                const deadline& until) {
  load_outcome outcome;
  auto& type = table.types()[table.types().number(how.type)];
  try {
    detail::loading_mark mark(this, key.text);
    auto bytes = std::make_shared<std::string>();
    if (loader({load->stop_token(), until}, *bytes)) {
      outcome.bytes = std::move(bytes);
      loads.add();
    } else {
      absent.add();
    }
    type.loads.add();
    if (!closed) table.fill(key, outcome.bytes.get(), how, load->begun(), until);
  } catch (...) {
    // Whatever the host's loader threw belongs to those who wait for it.
    outcome = {nullptr, std::current_exception()};
    type.load_failures.add();
  }
  // Only now: who misses the load must find what it has stored.
  finish(load, key, outcome);
  return outcome;
}

raw_lookup store::state::receive(const load_outcome& outcome, detail::value_port& port) {
  if (outcome.failure) std::rethrow_exception(outcome.failure);
  if (!outcome.bytes) return {freshness::negative, tier::loader};
  if (!port.accept(std::string(*outcome.bytes))) {
    throw error(errc::invalid_argument, "another caller loads this key as another type");
  }
  return {freshness::fresh, tier::loader};
}

void store::state::close() noexcept {
  if (closed.exchange(true) || born.is_forked()) return;
  for (auto& load : flights.drain()) {
    // In this order: a loader that stops at once must not be the first to end its load.
    load->end({nullptr, std::make_exception_ptr(closed_error())});
    load->request_stop();
  }
}

}  // namespace scalekit::cache
