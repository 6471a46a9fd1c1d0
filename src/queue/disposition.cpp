#include "queue/disposition.hpp"

#include "core/utf8.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

namespace scalekit::queue::detail {
namespace {

using std::chrono::duration_cast;
using std::chrono::microseconds;

disposition bury_job(settlement s, wall_time now) {
  s.to = settlement::fate::dead;
  s.at = now;
  return {ending::dead, std::move(s)};
}

/// As far as enqueue_options::run_in may reach; what is later would overflow somewhere.
constexpr microseconds longest_pause = std::chrono::days{3650};

/// A time that is no later than now needs no waiting room.
void put_off(settlement& s, wall_time now, microseconds by) {
  by = std::min(by, longest_pause);
  s.to = by > microseconds::zero() ? settlement::fate::later : settlement::fate::ready;
  s.at = now + by;
}

disposition after_error(const attempt_facts& facts, settlement s, const outcome& o) {
  ++s.past.errors;
  if (o.what() == outcome::verb::bury || s.past.errors >= facts.max_attempts) {
    return bury_job(std::move(s), facts.now);
  }
  const auto drawn =
      backoff_delay(facts.retry, static_cast<std::uint64_t>(s.past.errors), facts.random);
  put_off(s, facts.now, o.in().value_or(duration_cast<microseconds>(drawn)));
  return {ending::retried, std::move(s)};
}

}  // namespace

disposition after_outcome(const attempt_facts& facts, const outcome& o) {
  settlement s{.held = facts.held, .past = facts.past, .reason = clean_reason(o.reason())};
  switch (o.what()) {
    case outcome::verb::done:
      return {ending::done, std::move(s)};
    case outcome::verb::discard:
      return {ending::discarded, std::move(s)};
    case outcome::verb::cancel:
      return {ending::cancelled, std::move(s)};
    case outcome::verb::snooze:
      ++s.past.snoozes;
      put_off(s, facts.now, o.in().value_or(microseconds::zero()));
      return {ending::snoozed, std::move(s)};
    case outcome::verb::retry:
    case outcome::verb::bury:
      break;
  }
  return after_error(facts, std::move(s), o);
}

disposition after_interruption(const attempt_facts& facts) {
  settlement s{.held = facts.held, .to = settlement::fate::ready, .past = facts.past};
  ++s.past.interruptions;
  return {ending::interrupted, std::move(s)};
}

disposition after_return(const lease& held) {
  return {ending::returned, {.held = held, .to = settlement::fate::ready, .recorded = false}};
}

settlement after_crash(const orphan& o, int max_crashes, wall_time now) {
  settlement s{.held = o.held, .to = settlement::fate::ready, .past = o.past};
  ++s.past.crashes;
  s.reason = "its worker died (" + std::to_string(s.past.crashes) + " of " +
             std::to_string(max_crashes) + " times)";
  if (s.past.crashes >= max_crashes) {
    s.to = settlement::fate::dead;
    s.at = now;
  }
  return s;
}

bool is_suspect(const job_history& past, int max_crashes) noexcept {
  return past.crashes >= max_crashes - 1;
}

std::string clean_reason(std::string text) {
  text.resize(scalekit::detail::utf8_cut(text, 1024));
  for (std::size_t i = 0; i < text.size();) {
    const auto size = scalekit::detail::utf8_character(std::string_view(text).substr(i));
    const auto c = static_cast<unsigned char>(text[i]);
    if (size == 0 || (c < 0x20 && c != '\n' && c != '\t') || c == 0x7f) text[i] = '?';
    i += std::max<std::size_t>(size, 1);
  }
  return text;
}

}  // namespace scalekit::queue::detail
