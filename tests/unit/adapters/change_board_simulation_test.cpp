// Many lives of a cache, each by its seed: replicas lag, notices are late, connections of the
// listener break or go silent, answers overtake each other, a replica is promoted without the last
// commits. The truth is held against every result that a read gets from the cache or fills it with.

#include "adapters/change_board.hpp"
#include "scalekit/core/random.hpp"
#include "support/sanitizer.hpp"

#include <doctest/doctest.h>

#include <array>
#include <bitset>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using namespace scalekit::adapters::detail;
using scalekit::random_generator;
using scalekit::time_point;
using scalekit::db::causal_token;
using support::fewer_under_sanitizer;
using verdict = read_plan::verdict;

namespace {

constexpr std::size_t max_commits = 2048;
constexpr std::size_t table_count = 3;
constexpr auto max_staleness = 400ms;
/// By number.
using commit_set = std::bitset<max_commits>;
using names = std::vector<std::string>;

const std::array<std::string, table_count> table_names{"a", "b", "c"};

struct counts {
  std::size_t hits = 0, joined = 0, filled = 0, filled_on_replicas = 0, behind_on_replicas = 0;
  std::size_t not_kept = 0, deaf = 0, ahead = 0, losses = 0, promotions = 0, silences = 0;
};

/// A place in the log: what has been committed up to it.
struct snapshot {
  std::uint32_t timeline = 1;
  std::uint64_t lsn = 1;
  commit_set commits;
};

struct commit {
  /// Bit by table; an echo changes none.
  unsigned tables = 0;
  std::optional<time_point> acknowledged;
  /// Told of as a write of this process, and by its token.
  bool is_told = false, has_token = false;
  bool was_heard = false;
  bool is_lost = false;
};

class life {
 public:
  life(std::uint64_t seed, counts& total)
      : random_(seed), total_(total), board_({.listens = true, .max_staleness = max_staleness}) {
    for (auto& replica : replicas_) replica = primary_;
    client_primary_ = primary_;
    writes_ = 1 + static_cast<unsigned>(random_() % 12);
    breaks_ = static_cast<unsigned>(random_() % 3);
    replays_ = std::array{1u, 5u, 30u}[random_() % 3];
    reconnect();
  }

  void run(int steps) {
    for (int i = 0; i < steps && failure.empty(); ++i) {
      now_ += 5ms;
      replicate();
      if (chance(writes_)) write_of_others();
      if (chance(writes_)) begin_own_write();
      if (chance(breaks_)) break_listener();
      if (i == steps / 2 && chance(50)) promote();
      deliver_notices();
      run_due();
      probe();
      for (int reads = 0; reads < 2; ++reads) {
        if (chance(40)) begin_read();
      }
    }
  }

  std::string failure;

 private:
  struct flight {
    read_plan plan;
    names tables;
    unsigned mask = 0;
    causal_token wanted;
    std::string key;
    std::vector<commit_set> required;
    std::optional<snapshot> seen;
  };

  bool chance(unsigned percent) { return random_() % 100 < percent; }
  std::chrono::milliseconds soon() { return std::chrono::milliseconds(random_() % 60); }
  void later(std::function<void()> what) { later(soon(), std::move(what)); }
  void later(std::chrono::milliseconds pause, std::function<void()> what) {
    due_.emplace(now_ + pause, std::move(what));
  }
  void run_due() {
    while (!due_.empty() && due_.begin()->first <= now_) {
      const auto what = std::move(due_.begin()->second);
      due_.erase(due_.begin());
      what();
    }
  }

  static causal_token token_of(const snapshot& s) {
    return causal_token::postgres(7, s.timeline, s.lsn);
  }

  // The servers.

  std::size_t commit_now(unsigned tables) {
    commits_.emplace_back().tables = tables;
    const auto number = commits_.size() - 1;
    primary_.commits.set(number);
    primary_.lsn += 1 + random_() % 5;
    log_.push_back({primary_.timeline, primary_.lsn, number});
    if (client_follows_) client_primary_ = primary_;
    if (is_on_primary_) queue_.push_back({now_ + soon(), number, {}});
    return number;
  }

  void replicate() {
    for (auto& replica : replicas_) {
      if (!chance(replays_)) continue;
      const auto behind = random_() % 4;
      if (log_.size() > behind) replay(replica, log_.size() - behind);
    }
  }
  void replay(snapshot& replica, std::size_t records) {
    for (std::size_t i = 0; i < records; ++i) {
      const auto& [timeline, lsn, number] = log_[i];
      replica.commits.set(number);
      if (std::pair(replica.timeline, replica.lsn) < std::pair(timeline, lsn)) {
        replica.timeline = timeline;
        replica.lsn = lsn;
      }
    }
  }

  /// The first replica takes over, with what it has; the others and the client follow.
  void promote() {
    ++total_.promotions;
    auto& next = replicas_[0];
    old_history_ = {primary_.timeline, next.lsn};
    for (std::size_t i = 0; i < commits_.size(); ++i) {
      if (primary_.commits[i] && !next.commits[i]) commits_[i].is_lost = true;
    }
    std::erase_if(log_, [&](const auto& r) { return commits_[std::get<2>(r)].is_lost; });
    client_follows_ = false;
    primary_ = next;
    ++primary_.timeline;
    for (auto& replica : replicas_) {
      if (replica.lsn > next.lsn) replica = next;
    }
    // It still listens to the server that was.
    is_on_primary_ = false;
    later(soon() * 5, [this] {
      client_follows_ = true;
      client_primary_ = primary_;
    });
    later(soon() * 5, [this] { reconnect(); });
  }

  bool is_lost(const causal_token& token) const {
    return old_history_ && token.timeline() == old_history_->first &&
           token.lsn() > old_history_->second;
  }
  /// As the driver decides.
  bool has(const snapshot& host, const causal_token& token) const {
    if (token.is_empty()) return true;
    if (token.timeline() > host.timeline) return false;
    if (token.timeline() == host.timeline) return token.lsn() <= host.lsn;
    return !is_lost(token);
  }

  void write_of_others() {
    const auto number = commit_now(1 + static_cast<unsigned>(random_() % 7));
    const auto token = token_of(primary_);
    later([this, number, token] {
      commits_[number].acknowledged = now_;
      tokens_.push_back(token);
    });
  }

  void begin_own_write() {
    if (!client_follows_) return;
    const auto mask = 1 + static_cast<unsigned>(random_() % 7);
    later([this, mask] {
      if (!client_follows_) return;
      const auto number = commit_now(mask);
      const auto token = chance(90) ? token_of(primary_) : causal_token();
      later([this, number, token, mask] {
        board_.wrote(tables_in(mask), token);
        commits_[number].acknowledged = now_;
        commits_[number].is_told = true;
        commits_[number].has_token = !token.is_empty();
        if (!token.is_empty()) tokens_.push_back(token);
      });
    });
  }

  // The listener.

  struct said {
    time_point arrives;
    std::size_t commit;
    std::optional<std::uint64_t> echo;
  };

  void break_listener() {
    queue_.clear();
    is_on_primary_ = false;
    if (chance(50)) {
      ++total_.silences;  // half open: nobody notices for long
      later(600ms, [this] { reconnect(); });
    } else {
      if (chance(50)) later([this] { board_.went_deaf(); });
      later([this] { reconnect(); });
    }
  }
  void reconnect() {
    queue_.clear();
    is_on_primary_ = true;
    board_.began_to_listen(now_);
  }

  /// In the order of the commits.
  void deliver_notices() {
    while (!queue_.empty() && queue_.front().arrives <= now_) {
      const auto next = queue_.front();
      queue_.pop_front();
      if (next.echo) {
        board_.echoed(*next.echo);
        continue;
      }
      auto& c = commits_[next.commit];
      c.was_heard = true;
      for (std::size_t t = 0; t < table_count; ++t) {
        if (c.tables >> t & 1) board_.noticed("public." + table_names[t]);
      }
    }
  }

  void probe() {
    const auto next = board_.next_probe(now_);
    if (!next) return;
    later([this, p = *next] {
      // A server that was deposed tells its position, but takes no notice.
      if (chance(5) || (p.with_echo && !client_follows_)) {
        return later([this, p] { board_.failed(p.number, now_); });
      }
      const auto position = token_of(client_primary_);
      // Others commit between the look at the position and the echo's place in the queue.
      if (p.with_echo && client_follows_) {
        if (chance(30)) write_of_others();
        const auto number = commit_now(0);
        if (is_on_primary_) queue_.back() = {queue_.back().arrives, number, p.number};
      }
      later([this, p, position] { board_.answered(p.number, position); });
    });
  }

  // Reads.

  static names tables_in(unsigned mask) {
    names tables;
    for (std::size_t t = 0; t < table_count; ++t) {
      if (mask >> t & 1) tables.push_back(table_names[t]);
    }
    return tables;
  }

  void begin_read() {
    auto f = std::make_shared<flight>();
    f->mask = 1 + static_cast<unsigned>(random_() % 7);
    f->tables = tables_in(f->mask);
    read_need need;
    if (chance(20) && !tokens_.empty()) need.token = tokens_[random_() % tokens_.size()];
    if (chance(10)) need.lag = std::chrono::milliseconds(random_() % 600);
    f->wanted = need.token;
    f->plan = board_.plan(f->tables, need, now_);
    if (f->plan.what == verdict::deaf) ++total_.deaf;
    if (f->plan.what == verdict::ahead) ++total_.ahead;
    if (f->plan.what != verdict::cached) return read_past(*f);

    const auto required = required_of(*f, need);
    f->key = f->plan.version + std::to_string(f->mask);
    if (const auto found = cache_.find(f->key); found != cache_.end()) {
      ++total_.hits;
      return check(found->second, required, "a hit");
    }
    if (const auto found = flights_.find(f->key); found != flights_.end()) {
      ++total_.joined;
      found->second->required.push_back(required);
      return;
    }
    f->required.push_back(required);
    flights_[f->key] = f;
    later([this, f] { read_for(f); });
  }

  /// The worst host that has what is known of the floor.
  void read_past(const flight& f) {
    if (is_lost(f.plan.floor)) return;
    commit_set required;
    for (std::size_t i = 0; i < commits_.size(); ++i) {
      required[i] = (commits_[i].tables & f.mask) != 0 && commits_[i].has_token;
    }
    for (const auto& replica : replicas_) {
      if (has(replica, f.plan.floor)) check(replica, required, "a read past the cache");
    }
  }

  commit_set required_of(const flight& f, const read_need& need) const {
    commit_set required;
    for (std::size_t i = 0; i < commits_.size(); ++i) {
      const auto& c = commits_[i];
      if ((c.tables & f.mask) == 0 || c.is_lost) continue;
      const bool is_old = c.acknowledged && now_ - *c.acknowledged > max_staleness;
      const bool is_within_lag = need.lag && c.acknowledged && now_ - *c.acknowledged > *need.lag;
      if (c.is_told || c.was_heard || is_old || is_within_lag || is_before(i, need.token)) {
        required.set(i);
      }
    }
    return required;
  }
  bool is_before(std::size_t number, const causal_token& token) const {
    for (const auto& [timeline, lsn, commit] : log_) {
      if (commit != number) continue;
      return std::pair(timeline, lsn) <= std::pair(token.timeline(), token.lsn());
    }
    return false;
  }

  /// Any host that has the floor, the worst as likely as the best.
  void read_for(const std::shared_ptr<flight>& f) {
    auto token = f->plan.floor;
    if (!f->wanted.is_empty()) token.merge(f->wanted);
    if (f->plan.on_primary) {
      f->seen = client_primary_;
    } else if (is_lost(token)) {
      ++total_.losses;
      if (is_lost(f->plan.floor)) {
        board_.lost_writes();
        // Which of them are left nobody knows.
        for (auto& c : commits_) c.has_token = false;
      }
      flights_.erase(f->key);
      return;
    } else {
      std::vector<const snapshot*> able;
      for (const auto& replica : replicas_) {
        if (has(replica, token)) able.push_back(&replica);
      }
      if (able.empty() || chance(10)) {
        if (!has(client_primary_, token)) return static_cast<void>(flights_.erase(f->key));
        able = {&client_primary_};
      } else {
        ++total_.filled_on_replicas;
      }
      f->seen = *able[random_() % able.size()];
      if (f->seen->lsn < primary_.lsn) ++total_.behind_on_replicas;
    }
    later([this, f] { end_fill(f); });
  }

  void end_fill(const std::shared_ptr<flight>& f) {
    flights_.erase(f->key);
    for (const auto& required : f->required) check(*f->seen, required, "a fill");
    ++total_.filled;
    if (board_.is_current(f->tables, f->plan)) {
      cache_[f->key] = *f->seen;
    } else {
      ++total_.not_kept;
    }
  }

  void check(const snapshot& got, const commit_set& required, const char* what) {
    for (std::size_t i = 0; i < commits_.size(); ++i) {
      const auto& c = commits_[i];
      if (!required[i] || got.commits[i] || c.is_lost) continue;
      failure = std::string(what) + " at " + std::to_string((now_ - time_point{}) / 1ms) +
                " ms misses commit " + std::to_string(i) + (c.is_told ? ", told" : "") +
                (c.was_heard ? ", heard" : "");
      return;
    }
  }

  random_generator random_;
  counts& total_;
  change_board board_;
  time_point now_{};
  std::multimap<time_point, std::function<void()>> due_;

  std::vector<commit> commits_;
  /// Timeline, LSN and number.
  std::vector<std::tuple<std::uint32_t, std::uint64_t, std::size_t>> log_;
  snapshot primary_;
  std::array<snapshot, 2> replicas_;
  /// What the client takes for the primary.
  snapshot client_primary_;
  bool client_follows_ = true;
  /// The timeline that was left, and where.
  std::optional<std::pair<std::uint32_t, std::uint64_t>> old_history_;

  /// Percent of the steps.
  unsigned writes_ = 0, breaks_ = 0, replays_ = 0;
  bool is_on_primary_ = false;
  std::deque<said> queue_;

  std::vector<causal_token> tokens_;
  std::map<std::string, snapshot> cache_;
  std::map<std::string, std::shared_ptr<flight>> flights_;
};

}  // namespace

TEST_CASE("in no life does the cache give what it promised not to") {
  counts total;
  for (std::uint64_t seed = 1; seed <= fewer_under_sanitizer(3000U); ++seed) {
    life one(seed, total);
    one.run(400);
    INFO("seed ", seed);
    REQUIRE(one.failure == "");
  }

  MESSAGE("hits ", total.hits, ", joined ", total.joined, ", filled ", total.filled,
          ", on replicas ", total.filled_on_replicas, " of which behind ", total.behind_on_replicas,
          ", not kept ", total.not_kept, ", deaf ", total.deaf, ", ahead ", total.ahead,
          ", promotions ", total.promotions, ", floors lost ", total.losses, ", silences ",
          total.silences);
  // It does not keep its word by doing nothing.
  CHECK(total.hits > fewer_under_sanitizer(10'000U));
  CHECK(total.joined > fewer_under_sanitizer(10'000U));
  CHECK(total.behind_on_replicas > fewer_under_sanitizer(10'000U));
  CHECK(total.not_kept > fewer_under_sanitizer(10'000U));
  CHECK(total.promotions > fewer_under_sanitizer(1000U));
  CHECK(total.losses > fewer_under_sanitizer(10U));
}
