#include "db/topology/timeline_board.hpp"

#include "scalekit/core/error.hpp"

#include <algorithm>
#include <charconv>
#include <string>
#include <utility>

namespace scalekit::db::detail {
namespace {

std::string_view next_line(std::string_view& text) {
  const auto end = text.find('\n');
  const auto line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return line;
}

std::string_view next_word(std::string_view& line) {
  constexpr std::string_view blanks = " \t\r";
  line.remove_prefix(std::min(line.find_first_not_of(blanks), line.size()));
  const auto word = line.substr(0, line.find_first_of(blanks));
  line.remove_prefix(word.size());
  return word;
}

std::optional<timeline_switch> parse_switch(std::string_view timeline, std::string_view position) {
  std::uint32_t number = 0;
  const auto end = timeline.data() + timeline.size();
  const auto parsed = std::from_chars(timeline.data(), end, number);
  const auto at = parse_lsn(position);
  if (parsed.ec != std::errc{} || parsed.ptr != end || number == 0 || !at) return std::nullopt;
  return timeline_switch{number, *at, *at};
}

const timeline_switch* find_switch(const std::vector<timeline_switch>& ancestors,
                                   std::uint32_t timeline) {
  const auto found = std::find_if(ancestors.begin(), ancestors.end(),
                                  [&](const auto& a) { return a.timeline == timeline; });
  return found == ancestors.end() ? nullptr : &*found;
}

}  // namespace

std::vector<timeline_switch> parse_timeline_history(std::string_view text) {
  std::vector<timeline_switch> ancestors;
  for (int number = 1; !text.empty(); ++number) {
    auto line = next_line(text);
    const auto timeline = next_word(line);
    if (timeline.empty() || timeline.starts_with('#')) continue;
    const auto parsed = parse_switch(timeline, next_word(line));
    if (!parsed || (!ancestors.empty() && parsed->timeline <= ancestors.back().timeline)) {
      throw error(errc::backend_error,
                  "timeline history, line " + std::to_string(number) +
                      ": wanted a timeline after the one before it and its log position");
    }
    ancestors.push_back(*parsed);
  }
  return ancestors;
}

void timeline_board::learn(std::uint32_t timeline, std::vector<timeline_switch> ancestors) {
  // The beginning of a history is the history of the ancestor where it ends.
  for (auto left = ancestors.begin(); left != ancestors.end(); ++left) {
    auto& known = histories_[left->timeline];
    if (!known.is_whole) known = {{ancestors.begin(), left}, true};
  }
  histories_.insert_or_assign(timeline, history{std::move(ancestors), true});
}

void timeline_board::saw_promotion(std::uint32_t timeline, log_place before, lsn reached) {
  if (before.timeline == 0 || before.timeline >= timeline) return;
  const timeline_switch left{before.timeline, before.at, std::max(before.at, reached)};
  histories_.try_emplace(timeline, history{{left}, false});
}

/// With the ancestors of a promotion that was seen filled in from what is known of its parent.
timeline_board::history timeline_board::find(std::uint32_t timeline) const {
  if (timeline == 1) return {{}, true};
  const auto found = histories_.find(timeline);
  if (found == histories_.end()) return {};
  auto all = found->second;
  if (!all.is_whole) {
    const auto left = all.ancestors.front();
    // A parent has a lower number: this ends.
    all = find(left.timeline);
    all.ancestors.push_back(left);
    // It may have gone from one to the other through those between.
    all.is_whole = all.is_whole && left.timeline + 1 == timeline;
  }
  // A standby can be promoted before it has replayed all of the ancestors it was to follow.
  for (auto i = all.ancestors.size(); i-- > 1;) {
    auto& older = all.ancestors[i - 1];
    older.at = std::min(older.at, all.ancestors[i].at);
    older.latest = std::min(older.latest, all.ancestors[i].latest);
  }
  return all;
}

bool timeline_board::knows(std::uint32_t timeline) const {
  if (timeline == 1) return true;
  const auto found = histories_.find(timeline);
  return found != histories_.end() && found->second.is_whole;
}

timeline_board::verdict timeline_board::judge(log_place place, std::uint32_t timeline) const {
  if (place.timeline == 0 || timeline == 0) return verdict::unknown;
  if (place.timeline == timeline) return verdict::included;
  const auto own = find(timeline);
  if (const auto* left = find_switch(own.ancestors, place.timeline)) {
    if (place.at <= left->at) return verdict::included;
    return place.at > left->latest ? verdict::lost : verdict::unknown;
  }
  const auto others = find(place.timeline);
  if (find_switch(others.ancestors, timeline)) return verdict::ahead;
  // Neither is an ancestor of the other.
  const auto& younger = place.timeline < timeline ? own : others;
  return younger.is_whole ? verdict::lost : verdict::unknown;
}

bool timeline_board::descends(std::uint32_t timeline, std::uint32_t ancestor) const {
  return find_switch(find(timeline).ancestors, ancestor) != nullptr;
}

}  // namespace scalekit::db::detail
