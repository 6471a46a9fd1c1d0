#include "testing/fault_book.hpp"

#include "core/require.hpp"
#include "db/call_site.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace scalekit::testing::detail {
namespace {

using scalekit::detail::require;
using scalekit::detail::require_range;

void validate(const fault& f) {
  require_range("fault.every", f.every, 1, 1'000'000);
  require(f.times > 0, "fault.times", "0", "1 and more, fault::unlimited");
  require_range("fault.delay", f.delay, {}, std::chrono::hours{24});
  require(!f.hold || f.delay == f.delay.zero(), "fault.hold", "true", "false with a delay");
  require(f.error || f.hold || f.delay > f.delay.zero(), "fault.error", "not set",
          "any, or a delay, or hold");
  const bool is_statement = f.on != call_kind::begin && f.on != call_kind::commit;
  require(f.text.empty() || is_statement, "fault.text", "set", "empty for begins and commits");
  const bool in_doubt = f.error == errc::commit_in_doubt;
  require(!in_doubt || f.on == call_kind::write || f.on == call_kind::commit, "fault.error",
          "commit_in_doubt", "that for `on` write or commit");
  require(in_doubt || !f.is_made, "fault.is_made", "true", "false but for commit_in_doubt");
}

bool is_for(const fault& f, const logged_call& asked) {
  if (f.on && f.on != asked.kind) return false;
  const bool is_statement = asked.kind == call_kind::read || asked.kind == call_kind::write;
  if (is_statement && asked.in_transaction && f.error == errc::commit_in_doubt) return false;
  return asked.text.find(f.text) != std::string::npos;
}

}  // namespace

std::shared_ptr<injected> fault_book::add(fault what, const std::source_location& site) {
  validate(what);
  return faults_.emplace_back(std::make_shared<injected>(injected{std::move(what), site}));
}

void fault_book::remove(injected& f) noexcept {
  f.is_removed = true;
  std::erase_if(faults_, [](const auto& one) { return one->is_removed; });
}

void fault_book::remove_all() noexcept {
  for (const auto& f : faults_) f->is_removed = true;
  faults_.clear();
}

meeting fault_book::meet(std::vector<logged_call> asked) {
  meeting met;
  for (const auto& f : faults_) {
    const auto is_for_it = [&](const auto& one) { return is_for(f->what, one); };
    if (f->met == f->what.times || std::ranges::none_of(asked, is_for_it)) continue;
    if (++f->seen % f->what.every != 0) continue;
    met = {f, ++f->met};
    break;
  }
  for (auto& one : asked) {
    if (met.by) one.fault_error = met.by->what.error;
    log_.push_back(std::move(one));
  }
  return met;
}

std::vector<std::string> fault_book::left() const {
  std::vector<std::string> out;
  for (const auto& f : faults_) {
    const bool is_unlimited = f->what.times == fault::unlimited;
    if (is_unlimited ? f->met > 0 : f->met == f->what.times) continue;
    out.push_back("the fault injected at " + db::detail::describe(f->site) + " was met " +
                  std::to_string(f->met) + " times" +
                  (is_unlimited ? "" : ", " + std::to_string(f->what.times) + " wanted"));
  }
  return out;
}

}  // namespace scalekit::testing::detail
