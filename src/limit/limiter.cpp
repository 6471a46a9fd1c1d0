#include "scalekit/limit/limiter.hpp"

#include "core/require.hpp"
#include "limit/compiled_rule.hpp"
#include "scalekit/core/fork_guard.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace scalekit::limit {

using detail::cell_table;
using detail::compiled_rule;
using detail::gcra;
using detail::key_hash;
using detail::key_hasher;
using detail::nanos;

namespace {

/// What one call asks of one rule.
struct charge {
  const compiled_rule* under;
  key_hash key;
  nanos amount;
  bool never_fits;
};

/// At most one charge a rule, in the order of the rules. Not initialised: calls are short.
struct charges {
  std::array<charge, limiter::max_rules> of;
  std::size_t count = 0;

  charge* begin() noexcept { return of.data(); }
  charge* end() noexcept { return of.data() + count; }
};

void require_distinct(std::span<const identity> who) {
  if (who.size() > limiter::max_identities) {
    throw std::invalid_argument("limit: a call carries " + std::to_string(who.size()) +
                                " identities; legal: 0 to " +
                                std::to_string(limiter::max_identities));
  }
  for (std::size_t i = 1; i < who.size(); ++i) {
    if (detail::find(who.first(i), who[i].what()) != nullptr) {
      throw std::invalid_argument("limit: a call carries two identities of one kind");
    }
  }
}

decision describe(const compiled_rule& under, outcome result, nanos tat, nanos now, nanos wait) {
  decision d;
  d.result = result;
  d.by = &under.face();
  d.limit = d.by->limit;
  d.remaining = under.algorithm().remaining(tat, now);
  d.reset_after = std::chrono::nanoseconds{gcra::until_full(tat, now)};
  d.retry_after = std::chrono::nanoseconds{wait};
  return d;
}

/// Whether `candidate` has more to say to the client than `known`.
bool outranks(const decision& candidate, const decision& known) noexcept {
  if (candidate.result != known.result) return candidate.result > known.result;
  if (known.by == nullptr) return true;
  if (candidate.result == outcome::denied) return candidate.retry_after > known.retry_after;
  return candidate.result == outcome::allowed && candidate.remaining < known.remaining;
}

/// Holds the stripes and cells of one call: all of them before it decides, so that it sees and
/// changes one state. Stripes are taken in the order of the rules, which is the same for all calls.
class locked_cells {
 public:
  explicit locked_cells(charges& asked) noexcept : asked_(asked) {
    for (const auto& c : asked_) c.under->cells().stripe(c.key).lock();
  }

  ~locked_cells() {
    for (const auto& c : asked_) c.under->cells().stripe(c.key).unlock();
  }

  locked_cells(const locked_cells&) = delete;
  locked_cells& operator=(const locked_cells&) = delete;

  void acquire(nanos now) noexcept {
    auto* s = slots_.data();
    for (const auto& c : asked_) {
      *s++ = c.under->cells().acquire(c.key, c.under->algorithm(), now);
    }
  }

  const cell_table::slot& slot(std::size_t i) const noexcept { return slots_[i]; }

 private:
  charges& asked_;
  std::array<cell_table::slot, limiter::max_rules> slots_;
};

}  // namespace

class limiter::impl {
 public:
  impl(limiter_params params, const clock& time)
      : time_(time), is_system_(&time == &clock::system()), began_(time.now()) {
    scalekit::detail::require_range("limiter_params::rules.size()", params.rules.size(),
                                    std::size_t{1}, max_rules);
    // Compiled rules and decisions point into faces_, which never grows again.
    faces_.reserve(params.rules.size());
    for (auto& r : params.rules) {
      auto face = detail::checked(std::move(r));
      auto same = std::find_if(faces_.begin(), faces_.end(),
                               [&](const rule& other) { return other.name == face.name; });
      scalekit::detail::require(same == faces_.end(), "limit::rule::name", '"' + face.name + '"',
                                "unique in its limiter");
      faces_.push_back(std::move(face));
    }
    rules_.reserve(faces_.size());
    for (const auto& face : faces_) rules_.emplace_back(face);
  }

  decision check(std::span<const identity> who, std::uint32_t cost) {
    // Read first: the processor hashes the key while it waits for the counter.
    auto now = elapsed();
    require_distinct(who);
    // One rule goes from hash to cell without a detour through memory.
    if (rules_.size() == 1) {
      auto only = ask(rules_.front(), who, cost);
      if (!only) return {};
      if (auto d = charge_known(*only, now)) return *d;
    }
    charges asked;
    collect(who, cost, asked);
    if (asked.count == 0) return {};
    if (asked.count == 1) {
      if (auto d = charge_known(asked.of[0], now)) return *d;
    }
    return settle(asked, cost > 0);
  }

  decision peek(std::span<const identity> who, std::uint32_t cost) {
    require_distinct(who);
    charges asked;
    collect(who, cost, asked);
    return settle(asked, false);
  }

  void refund(std::span<const identity> who, std::uint32_t cost) {
    require_distinct(who);
    charges asked;
    collect(who, cost, asked);
    guard_.check("limiter");
    for (const auto& c : asked) c.under->cells().refund(c.key, c.amount);
  }

  std::span<const rule> rules() const noexcept { return faces_; }

  limiter_stats stats() const noexcept {
    return {forgotten_.load(std::memory_order_relaxed),
            overflowed_.load(std::memory_order_relaxed)};
  }

  std::size_t memory_bytes() const noexcept {
    std::size_t sum = 0;
    for (const auto& r : rules_) sum += r.cells().memory_bytes();
    return sum;
  }

 private:
  nanos elapsed() const noexcept {
    // The virtual call would cost a tenth of the whole check.
    auto now = is_system_ ? std::chrono::steady_clock::now() : time_.now();
    return std::max<nanos>(std::chrono::nanoseconds{now - began_}.count(), 0);
  }

  /// What a call asks of `r`; none when the rule does not apply.
  std::optional<charge> ask(const compiled_rule& r, std::span<const identity> who,
                            std::uint32_t cost) const noexcept {
    key_hasher key(secrets_);
    if (!r.match(who, key)) return std::nullopt;
    auto units = std::uint64_t{cost} * r.face().cost;
    bool fits = units <= r.face().burst;
    auto amount = fits ? static_cast<nanos>(units) * r.algorithm().interval : 0;
    return charge{&r, key.finish(), amount, !fits};
  }

  void collect(std::span<const identity> who, std::uint32_t cost, charges& into) const noexcept {
    for (const auto& r : rules_) {
      if (auto c = ask(r, who, cost)) into.of[into.count++] = *c;
    }
  }

  /// Without a lock; none when that is not possible.
  static std::optional<decision> charge_known(const charge& c, nanos now) noexcept {
    if (c.never_fits) return std::nullopt;
    auto seen = c.under->cells().try_charge(c.key, c.under->algorithm(), now, c.amount);
    if (!seen) return std::nullopt;
    if (seen->charged) return describe(*c.under, outcome::allowed, seen->tat, now, 0);
    auto wait = c.under->algorithm().wait(seen->tat, now, c.amount);
    return describe(*c.under, outcome::denied, seen->tat, now, wait);
  }

  /// All or nothing, over any number of rules.
  decision settle(charges& asked, bool consume) {
    // A stripe that another thread held at the fork is held forever in the child.
    guard_.check("limiter");
    locked_cells held(asked);
    // Read under the locks: what was waited for them must not count as age.
    held.acquire(elapsed());

    decision worst;
    for (std::size_t i = 0; i < asked.count; ++i) {
      auto d = judge(asked.of[i], held.slot(i), consume);
      if (outranks(d, worst)) worst = d;
    }

    bool charged = consume && worst.allowed();
    for (std::size_t i = 0; i < asked.count; ++i) {
      const auto& c = asked.of[i];
      const auto& s = held.slot(i);
      if (charged) {
        c.under->cells().commit(s, c.key, gcra::after(s.tat, s.now, c.amount));
        count(s.from);
      } else {
        c.under->cells().abandon(s);
      }
    }
    return worst;
  }

  /// The decision of one rule, as of after the charge if it is consumed.
  static decision judge(const charge& c, const cell_table::slot& s, bool consume) noexcept {
    if (c.never_fits) return describe(*c.under, outcome::never_fits, s.tat, s.now, 0);
    auto wait = c.under->algorithm().wait(s.tat, s.now, c.amount);
    if (wait > 0) return describe(*c.under, outcome::denied, s.tat, s.now, wait);
    auto tat = consume ? gcra::after(s.tat, s.now, c.amount) : s.tat;
    return describe(*c.under, outcome::allowed, tat, s.now, 0);
  }

  void count(cell_table::slot::origin from) noexcept {
    using origin = cell_table::slot::origin;
    if (from == origin::forgotten) forgotten_.fetch_add(1, std::memory_order_relaxed);
    if (from == origin::shared) overflowed_.fetch_add(1, std::memory_order_relaxed);
  }

  const clock& time_;
  const bool is_system_;
  const time_point began_;
  const fork_guard guard_;
  const key_hasher::secrets secrets_ = key_hasher::secrets::draw();
  std::vector<rule> faces_;
  std::vector<compiled_rule> rules_;
  std::atomic<std::uint64_t> forgotten_{0};
  std::atomic<std::uint64_t> overflowed_{0};
};

limiter::limiter(limiter_params params, const clock& time)
    : impl_(std::make_unique<impl>(std::move(params), time)) {}
limiter::~limiter() = default;
limiter::limiter(limiter&&) noexcept = default;
limiter& limiter::operator=(limiter&&) noexcept = default;

decision limiter::check(std::span<const identity> who, std::uint32_t cost) {
  return impl_->check(who, cost);
}
decision limiter::peek(std::span<const identity> who, std::uint32_t cost) const {
  return impl_->peek(who, cost);
}
void limiter::refund(std::span<const identity> who, std::uint32_t cost) {
  impl_->refund(who, cost);
}
std::span<const rule> limiter::rules() const noexcept {
  return impl_->rules();
}
limiter_stats limiter::stats() const noexcept {
  return impl_->stats();
}
std::size_t limiter::memory_bytes() const noexcept {
  return impl_->memory_bytes();
}

}  // namespace scalekit::limit
