#include "redis/map_question.hpp"

#include "redis/resolve.hpp"
#include "redis/server_error.hpp"
#include "redis/wire_text.hpp"
#include "scalekit/core/execution.hpp"

#include <string>
#include <utility>

namespace scalekit::redis::detail {

using end = blocking_line::end;

map_question::map_question(target to) : site_(std::move(to), execution()), line_(site_) {}

error map_question::failed() const {
  return {make_error_code(errc::unavailable), {line_.why(), {}, {}, site_.name}};
}

result<slot_map> map_question::ask(time_point until) {
  auto found = resolve_at_once(site_.where);
  if (!found) found = resolve_name(site_.where);
  if (found->endpoints.empty()) return error(errc::unavailable, found->failure);
  // A name of several addresses is tried at the first alone: other nodes are asked after it.
  if (line_.open(site_.where, found->endpoints.front(), until) != end::done) return failed();
  request what{.name = "CLUSTER", .is_read = true};
  append_command(what.bytes, {"CLUSTER", "SLOTS"});
  answers to_come;
  reply answer;
  if (line_.exchange(what, until, to_come, answer) != end::done) return failed();
  if (answer.kind == reply_kind::error) return server_error(answer, "CLUSTER SLOTS", site_.name);
  return slot_map_from(answer, site_.where);
}

}  // namespace scalekit::redis::detail
