#include "db/classify/function_catalogue.hpp"

#include "db/classify/builtin_functions.hpp"

#include <algorithm>

namespace scalekit::db::detail {
namespace {

std::string qualified(std::string_view schema, std::string_view name) {
  std::string both(schema);
  both += '\0';
  both += name;
  return both;
}

}  // namespace

// Aggregates are always called immutable: it is their support functions that count.
const std::string_view function_catalogue_query = R"(
select n.nspname::text, p.proname::text,
  bool_or(p.provolatile = 'v' or exists (
    select from pg_catalog.pg_aggregate a join pg_catalog.pg_proc s
      on s.oid in (a.aggtransfn, a.aggfinalfn, a.aggcombinefn, a.aggserialfn, a.aggdeserialfn,
                   a.aggmtransfn, a.aggminvtransfn, a.aggmfinalfn)
    where a.aggfnoid = p.oid and s.provolatile = 'v'))
from pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = p.pronamespace
group by 1, 2)";

void function_catalogue::add(std::string_view schema, std::string_view name, bool any_volatile) {
  qualified_[qualified(schema, name)] |= any_volatile;
  by_name_[std::string(name)] |= any_volatile;
}

function_catalogue::verdict function_catalogue::of(const called_function& f) const {
  if (hides_effects(f.name)) return verdict::has_effects;
  const auto& known = f.schema.empty() ? by_name_ : qualified_;
  const auto found = known.find(f.schema.empty() ? f.name : qualified(f.schema, f.name));
  if (found == known.end()) return verdict::unknown;
  return found->second ? verdict::has_effects : verdict::no_effects;
}

execute_route route_of(const statement_class& c, const function_catalogue* known) {
  const bool reads =
      c.kind == statement_kind::read || (c.kind == statement_kind::copy_out && !c.copies_a_write);
  if (!reads || c.locks_rows || c.unreadable || c.calls_effectful_builtin) {
    return execute_route::primary;
  }
  const bool harmless =
      std::all_of(c.functions.begin(), c.functions.end(), [known](const called_function& f) {
        return known != nullptr && known->of(f) == function_catalogue::verdict::no_effects;
      });
  return harmless ? execute_route::any : execute_route::primary;
}

}  // namespace scalekit::db::detail
