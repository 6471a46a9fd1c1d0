#include "adapters/change_board.hpp"

#include <algorithm>
#include <cstring>
#include <tuple>

namespace scalekit::adapters::detail {

using db::causal_token;

namespace {

/// Four proofs are on their way before the last one is too old.
constexpr int echoes_in_staleness = 4;

/// So long after its last read a cache stays ready for the next.
constexpr std::chrono::minutes in_use_for{10};

bool is_same_log(const causal_token& a, const causal_token& b) {
  return a.from() == b.from() && a.system_id() == b.system_id();
}

/// Of two places in one log the later; of two logs the second, since the database behind the URL
/// has been replaced by another.
causal_token later_of(const causal_token& a, const causal_token& b) {
  if (b.is_empty()) return a;
  if (!is_same_log(a, b)) return b;
  const bool is_before = std::tuple(a.timeline(), a.lsn()) < std::tuple(b.timeline(), b.lsn());
  return is_before ? b : a;
}

std::string_view without_schema(std::string_view name) {
  const auto dot = name.rfind('.');
  return dot == name.npos ? name : name.substr(dot + 1);
}

void append(std::string& to, std::uint64_t number) {
  char bytes[sizeof number];
  std::memcpy(bytes, &number, sizeof number);
  to.append(bytes, sizeof number);
}

}  // namespace

change_board::table& change_board::find_or_add(const std::string& name) {
  const auto [at, is_new] = tables_.try_emplace(name);
  if (is_new) {
    // Notices about it went unheeded until now.
    at->second.floor = newest_write_;
    lose_floor(at->second);
  }
  return at->second;
}

/// "shop.product" is a change of what reads call "product", and the other way round.
template <class Change>
void change_board::for_each_named(std::string_view name, Change change) {
  const auto bare = without_schema(name);
  if (bare.size() != name.size()) {
    for (const auto spelled : {name, bare}) {
      if (const auto at = tables_.find(spelled); at != tables_.end()) change(at->second);
    }
    return;
  }
  for (auto& [known, t] : tables_) {
    if (without_schema(known) == bare) change(t);
  }
}

void change_board::lose_floor(table& t) const {
  if (params_.listens) t.waits_since = last_probe_;
}

void change_board::wrote(std::span<const std::string> tables, const causal_token& token) {
  newest_write_ = later_of(newest_write_, token);
  for (const auto& name : tables) {
    find_or_add(name);
    for_each_named(name, [&](table& t) {
      ++t.changes;
      t.floor = later_of(t.floor, token);
      if (token.is_empty()) t.waits_since = last_probe_;
    });
  }
}

void change_board::noticed(std::string_view name) {
  for_each_named(name, [this](table& t) {
    ++t.changes;
    lose_floor(t);
  });
}

void change_board::began_to_listen(time_point now) {
  went_deaf();
  ++epoch_;
  for (auto& [name, t] : tables_) lose_floor(t);
  listens_now_ = true;
  last_used_ = now;
  last_echo_sent_.reset();
  not_before_.reset();
}

void change_board::went_deaf() noexcept {
  proof_.reset();
  echoes_.clear();
}

void change_board::lost_writes() {
  // What was read of a history that has ended may be in the cache too.
  ++epoch_;
  proof_.reset();
  newest_write_ = {};
  for (auto& [name, t] : tables_) {
    t.floor = {};
    lose_floor(t);
  }
}

bool change_board::waits_for_floor() const {
  return std::any_of(tables_.begin(), tables_.end(),
                     [](const auto& named) { return named.second.waits_since.has_value(); });
}

std::optional<change_board::probe> change_board::next_probe(time_point now) {
  if (!params_.listens || under_way_ || (not_before_ && now < *not_before_)) return std::nullopt;
  const auto gap = params_.max_staleness / echoes_in_staleness;
  const bool is_in_use = last_used_ && now - *last_used_ < in_use_for;
  const bool is_echo_due =
      listens_now_ && is_in_use && (!last_echo_sent_ || now - *last_echo_sent_ >= gap);
  if (!is_echo_due && !waits_for_floor()) return std::nullopt;
  under_way_ = ++last_probe_;
  if (is_echo_due) {
    last_echo_sent_ = now;
    while (!echoes_.empty() && now - echoes_.front().sent_at > params_.max_staleness) {
      echoes_.pop_front();
    }
    echoes_.push_back({last_probe_, now, false, {}});
  }
  return probe{last_probe_, is_echo_due};
}

void change_board::answered(std::uint64_t number, const causal_token& position) {
  if (under_way_ == number) under_way_.reset();
  for (auto& [name, t] : tables_) {
    if (!t.waits_since || *t.waits_since >= number) continue;
    t.floor = later_of(t.floor, position);
    t.waits_since.reset();
  }
  for (auto& echo : echoes_) {
    if (echo.number != number) continue;
    echo.position = position;
    take_proof(echo);
    return;
  }
}

void change_board::failed(std::uint64_t number, time_point now) {
  if (under_way_ == number) under_way_.reset();
  not_before_ = now + params_.max_staleness / echoes_in_staleness;
}

void change_board::echoed(std::uint64_t number) {
  for (auto& echo : echoes_) {
    if (echo.number != number) continue;
    echo.heard = true;
    take_proof(echo);
    return;
  }
}

void change_board::take_proof(const sent_echo& echo) {
  if (!echo.heard || echo.position.is_empty()) return;
  if (!proof_ || proof_->number < echo.number) proof_ = {echo.number, echo.sent_at, echo.position};
}

/// A token of an older timeline may be of a write that the promotion has lost, which only the
/// database can tell.
bool change_board::has_heard(const causal_token& token) const {
  if (token.is_empty() || !params_.listens) return true;
  const auto& heard = proof_->position;
  return is_same_log(token, heard) && token.timeline() == heard.timeline() &&
         token.lsn() <= heard.lsn();
}

read_plan change_board::plan(std::span<const std::string> tables, const read_need& need,
                             time_point now) {
  last_used_ = now;
  read_plan p;
  for (const auto& name : tables) {
    const auto& t = find_or_add(name);
    p.floor = later_of(p.floor, t.floor);
    p.on_primary |= t.waits_since.has_value();
  }
  p.what = judge(need, p.on_primary, now);
  if (p.what == read_plan::verdict::cached) p.version = version_of(tables);
  return p;
}

read_plan::verdict change_board::judge(const read_need& need, bool on_primary,
                                       time_point now) const {
  using verdict = read_plan::verdict;
  if (params_.listens) {
    if (!proof_ || now - proof_->as_of > params_.max_staleness) return verdict::deaf;
    if (need.lag && now - proof_->as_of > *need.lag) return verdict::ahead;
  }
  if (!has_heard(need.token)) return verdict::ahead;
  return on_primary && !need.may_use_primary ? verdict::ahead : verdict::cached;
}

std::string change_board::version_of(std::span<const std::string> tables) const {
  std::string version;
  version.reserve((tables.size() + 1) * sizeof epoch_);
  append(version, epoch_);
  for (const auto& name : tables) {
    const auto at = tables_.find(name);
    append(version, at == tables_.end() ? 0 : at->second.changes);
  }
  return version;
}

bool change_board::is_current(std::span<const std::string> tables, const read_plan& plan) const {
  return version_of(tables) == plan.version;
}

std::optional<std::chrono::nanoseconds> change_board::silence(time_point now) const {
  if (!proof_) return std::nullopt;
  return now - proof_->as_of;
}

}  // namespace scalekit::adapters::detail
