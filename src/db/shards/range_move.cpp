#include "scalekit/db/range_move.hpp"

#include "core/require.hpp"
#include "db/shards/map_store.hpp"
#include "db/shards/move_plan.hpp"
#include "db/shards/move_worker.hpp"
#include "scalekit/core/detail/sleep.hpp"
#include "scalekit/core/error.hpp"

#include <chrono>
#include <utility>

namespace scalekit::db {
namespace {

using namespace std::chrono_literals;
using detail::move_action;
using detail::shard_set;

time_point now() {
  return std::chrono::steady_clock::now();
}

void validate(const range_move_params& p) {
  using scalekit::detail::require_range;
  require_range("range_move_params.page_rows", p.page_rows, 1, 10'000);
  require_range("range_move_params.fence_timeout", p.fence_timeout, 1ms, 1min);
}

[[noreturn]] void refuse(const range_move_order& order, const std::string& why) {
  throw error(errc::invalid_argument, "range_move: move '" + order.id + "' " + why);
}

/// The newest map there is.
shard_map stored(shard_set& set) {
  if (!set.home()) {
    throw error(errc::not_supported,
                "range_move: the map is this process' own; a move needs one that is stored, see "
                "shards::open()");
  }
  auto home = *set.home();
  return shard_map::parse(std::get<1>(detail::load_map(home, set.params().name)));
}

void store(shard_set& set, shard_map next) {
  auto home = *set.home();
  const auto asked = now();
  detail::replace_map(home, set.params().name, next);
  set.install(std::move(next), asked);
}

shard_move checked(shard_set& set, const shard_map& map, const range_move_order& order) {
  if (order.id.empty() || order.id.size() > 100)
    refuse(order, "has an id that is not 1 to 100 bytes");
  if (order.tables.empty()) refuse(order, "has no tables");
  for (const auto& t : order.tables) detail::check_movable(t);
  detail::check_movable(order.places);
  auto from = map.owner_of(order.places);
  if (from == order.to) refuse(order, "has '" + from + "' as its source and its target");
  if (set.client_of(from).dialect() != set.client_of(order.to).dialect()) {
    refuse(order,
           "goes from one kind of database to another, '" + from + "' to '" + order.to + "'");
  }
  return {.id = order.id,
          .places = order.places,
          .from = std::move(from),
          .to = order.to,
          .tables = order.tables};
}

}  // namespace

struct range_move::state {
  state(std::shared_ptr<shard_set> on, shard_move m, range_move_params p)
      : set(std::move(on)),
        move(std::move(m)),
        params(std::move(p)),
        worker(set->client_of(move.from), set->client_of(move.to), move, params.page_rows,
               params.fence_timeout, params.about_to),
        since(now()) {
    facts.phase = move.phase;
  }

  void say(std::string_view what) const {
    if (params.about_to) params.about_to(what);
  }

  /// The stored map, while the move in it is still this mover's.
  shard_map mine() const {
    auto map = stored(*set);
    const auto& known = map.move();
    if (known && known->id == move.id && known->owner == move.owner) return map;
    throw detail::taken_over(move);
  }

  void enter(move_phase phase, std::string_view what) {
    say(what);
    const auto map = mine();
    auto next = move;
    next.phase = phase;
    // It is there already when the outcome of an earlier attempt was not known.
    if (map.move()->phase != phase) {
      const bool switches = phase == move_phase::switched;
      store(*set, (switches ? map.with_owner(move.places, move.to) : map)
                      .with_move(next)
                      .with_version(map.version() + 1));
    }
    move = std::move(next);
    worker.enter(phase);
    // What belongs to a phase begins with it; what was claimed stays claimed.
    facts = {.phase = phase, .claimed = facts.claimed};
    since = now();
  }

  std::chrono::nanoseconds lease_left() const {
    return std::max<std::chrono::nanoseconds>(since + set->params().lease - now(), 0ns);
  }

  void act(move_action action) {
    using enum move_action;
    switch (action) {
      case wait_lease:
        return;
      case claim:
        worker.claim();
        facts.claimed = true;
        return;
      case prepare:
        worker.prepare();
        facts.prepared = true;
        return;
      case begin_copying:
        return enter(move_phase::copying, "begin to copy");
      case copy_page:
        facts.copied = worker.copy_page();
        return;
      case replay: {
        const auto done = worker.replay();
        facts.caught_up = done.is_all;
        facts.drained = done.changes == 0;
        return;
      }
      case verify_page:
        facts.verified = worker.verify_page();
        return;
      case begin_switching:
        return enter(move_phase::switching, "begin to switch");
      case fence:
        worker.fence();
        facts.fenced = true;
        facts.drained = false;
        return;
      case switch_map:
        return enter(move_phase::switched, "switch the map");
      case lift:
        worker.lift();
        facts.lifted = true;
        return;
      case release:
        worker.release();
        facts.released = true;
        return;
      case unfence:
        worker.unfence();
        facts.released = true;
        return;
      case delete_page:
        facts.deleted = worker.delete_page();
        return;
      case clean_page:
        facts.deleted = worker.clean_page();
        return;
      case forget:
        worker.forget();
        say("end the move");
        store(*set, mine().with_move({}));
        is_over = true;
        return;
    }
  }

  const std::shared_ptr<shard_set> set;
  shard_move move;
  const range_move_params params;
  detail::move_worker worker;
  detail::move_facts facts;
  // Since when this mover knows of the phase.
  time_point since;
  bool is_over = false;
};

range_move::range_move(std::unique_ptr<state> s) noexcept : state_(std::move(s)) {}
range_move::range_move(range_move&&) noexcept = default;
range_move& range_move::operator=(range_move&&) noexcept = default;
range_move::~range_move() = default;

range_move range_move::start(shards on, range_move_order order, range_move_params params) {
  validate(params);
  auto& set = *on.set_;
  const auto map = stored(set);
  if (map.move()) {
    throw error(errc::conflict, "range_move: move '" + order.id + "' cannot start while move '" +
                                    map.move()->id + "' is under way");
  }
  auto move = checked(set, map, order);
  auto made = std::make_unique<state>(on.set_, move, std::move(params));
  made->worker.check_tables();
  store(set, map.with_move(std::move(move)));
  made->since = now();
  return range_move(std::move(made));
}

range_move range_move::resume(shards on, range_move_params params) {
  validate(params);
  auto& set = *on.set_;
  const auto map = stored(set);
  if (!map.move()) throw error(errc::not_found, "range_move: no move is under way");
  auto move = *map.move();
  ++move.owner;
  store(set, map.with_move(move));
  return range_move(std::make_unique<state>(on.set_, std::move(move), std::move(params)));
}

std::optional<std::chrono::nanoseconds> range_move::step() {
  auto& s = *state_;
  if (s.is_over) return std::nullopt;
  s.facts.lease_is_over = s.lease_left() == 0ns;
  const auto action = detail::next_action(s.facts);
  if (action == move_action::wait_lease) return s.lease_left();
  s.act(action);
  if (s.is_over) return std::nullopt;
  return 0ns;
}

void range_move::run(std::stop_token stop) {
  const auto wait = [&](std::chrono::nanoseconds pause) {
    scalekit::detail::sleep_until(std::chrono::steady_clock::now() + pause, stop);
  };
  for (int blocked = 0;;) {
    if (stop.stop_requested()) {
      throw error(errc::cancelled, "range_move: move '" + state_->move.id +
                                       "' was stopped; it is " +
                                       std::string(to_string(state_->move.phase)));
    }
    try {
      const auto pause = step();
      if (!pause) return;
      if (*pause > 0ns) wait(*pause);
      blocked = 0;
    } catch (const error& e) {
      // Writers that waited behind the fence go on before it is tried again.
      if (!is_timeout(e) || ++blocked > 10) throw;
      wait(state_->params.fence_timeout);
    }
  }
}

void range_move::abort() {
  auto& s = *state_;
  if (s.is_over || s.move.phase == move_phase::switched) {
    throw error(errc::not_allowed, "range_move: move '" + s.move.id +
                                       "' has switched; it can be finished, and moved back after");
  }
  if (s.move.phase != move_phase::aborting) s.enter(move_phase::aborting, "give the move up");
}

range_move_status range_move::status() const {
  const auto& c = state_->worker.counters();
  range_move_status out{.phase = state_->move.phase,
                        .rows_copied = c.rows_copied,
                        .changes_copied = c.changes_copied,
                        .rows_verified = c.rows_verified,
                        .rows_deleted = c.rows_deleted};
  if (state_->is_over) out.phase.reset();
  return out;
}

}  // namespace scalekit::db
