#include "db/classify/lane_queries.hpp"

#include <string_view>

// 16384 is FirstNormalObjectId: below it lies what initdb made, whose labels are trusted (but for
// hides_effects()).

namespace scalekit::db::detail {
namespace {

// From wanted(oid), functions, to the columns of the answer.
constexpr std::string_view judge_functions =
    R"(
judged_functions as (
  select pg_catalog.format('function %s.%s', n.nspname, p.proname) as what,
    case
      when p.provolatile = 'v' then 'is volatile'
      when p.oid < 16384 or l.lanname in ('sql', 'plpgsql') then null
      when l.lanname in ('c', 'internal') and exists (
        select from pg_catalog.pg_depend d
        where d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass and d.objid = p.oid
          and d.deptype = 'e') then null
      else 'is written in ' || l.lanname || ', which cannot be looked into'
    end as refusal,
    case when p.oid >= 16384 then pg_catalog.pg_get_function_arguments(p.oid) end as arguments,
    l.lanname::text as language,
    case when p.oid >= 16384 then
      coalesce(pg_catalog.pg_get_function_result(p.oid), '') || ' ; ' ||
      case
        when l.lanname not in ('sql', 'plpgsql') then ''
        when p.prosrc <> '' then p.prosrc
        else pg_catalog.pg_get_functiondef(p.oid)
      end
    end as source
  from (
    select w.oid from wanted w
    union
    select s.oid from wanted w join pg_catalog.pg_aggregate a on a.aggfnoid = w.oid,
      pg_catalog.unnest(array[a.aggtransfn, a.aggfinalfn, a.aggcombinefn, a.aggserialfn,
        a.aggdeserialfn, a.aggmtransfn, a.aggminvtransfn, a.aggmfinalfn]::pg_catalog.oid[]) s(oid)
  ) f
  join pg_catalog.pg_proc p on p.oid = f.oid
  join pg_catalog.pg_namespace n on n.oid = p.pronamespace
  join pg_catalog.pg_language l on l.oid = p.prolang
  where p.prokind in ('f', 'w')
    and p.prorettype not in ('pg_catalog.trigger'::pg_catalog.regtype,
                             'pg_catalog.event_trigger'::pg_catalog.regtype)
)
select what, refusal, language, source from judged_functions
where refusal is not null or source is not null
union all
-- A row given for an argument is converted to its type.
select what, null, 'types', arguments from judged_functions where arguments <> '')";

constexpr std::string_view unnamed_wanted = R"(
with wanted as (
  select c.castfunc::pg_catalog.oid as oid from pg_catalog.pg_cast c
  where c.oid >= 16384 and c.castfunc <> 0 and (c.castcontext <> 'e' or c.casttarget < 16384)
  union
  select a.amproc::pg_catalog.oid from pg_catalog.pg_amproc a where a.oid >= 16384
  union
  select o.oprcode::pg_catalog.oid
  from pg_catalog.pg_amop a join pg_catalog.pg_operator o on o.oid = a.amopopr
  where a.oid >= 16384
  union
  select f.oid from pg_catalog.pg_type t, pg_catalog.unnest(array[t.typinput, t.typoutput,
    t.typreceive, t.typsend]::pg_catalog.oid[]) f(oid)
  where t.oid >= 16384 and t.typtype = 'b' and f.oid >= 16384
),)";

constexpr std::string_view unnamed_rest = R"(
union all
select 'parameters', null, 'types',
  (select pg_catalog.string_agg(pg_catalog.format_type(t.type, null), ' ; ')
   from pg_catalog.pg_prepared_statements s, pg_catalog.unnest(s.parameter_types) t(type)
   where s.name = $1))";

constexpr std::string_view names_wanted = R"(
with recursive wanted as (
  select p.oid from pg_catalog.pg_proc p where p.proname = any ($1::pg_catalog.name[])
  union
  -- t.f is f(t)
  select p.oid from pg_catalog.pg_proc p join pg_catalog.pg_type a on a.oid = p.proargtypes[0]
  where p.proname = any ($2::pg_catalog.name[]) and p.pronargs > 0 and a.typtype in ('c', 'p')
    and p.oid >= 16384
  union
  select o.oprcode::pg_catalog.oid from pg_catalog.pg_operator o
  where o.oprname = any ($4::pg_catalog.name[])
  union
  select c.castfunc::pg_catalog.oid
  from pg_catalog.pg_cast c join pg_catalog.pg_type t on t.oid = c.casttarget
  where c.castfunc <> 0 and c.castcontext = 'e' and t.oid >= 16384
    and t.typname = any ($2::pg_catalog.name[])
),
relations as (
  select c.oid, c.relname, n.nspname, c.relkind, c.relrowsecurity
  from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  where c.relname = any ($2::pg_catalog.name[]) and c.oid >= 16384
),
parts as (
  select r.oid as root, r.oid as part from relations r
  union
  select p.root, i.inhrelid from parts p join pg_catalog.pg_inherits i on i.inhparent = p.part
),)";

constexpr std::string_view names_rest = R"(
union all
select pg_catalog.format('foreign table %s.%s', r.nspname, r.relname), 'is foreign', null, null
from relations r join parts p on p.root = r.oid join pg_catalog.pg_class c on c.oid = p.part
where c.relkind = 'f'
union all
select pg_catalog.format('view %s.%s', r.nspname, r.relname), null, 'sql',
  pg_catalog.pg_get_viewdef(r.oid)
from relations r where r.relkind = 'v'
union all
select pg_catalog.format('policies of %s.%s', r.nspname, r.relname), null, 'sql',
  pg_catalog.string_agg(pg_catalog.pg_get_expr(p.polqual, p.polrelid), ' ; ')
from relations r join pg_catalog.pg_policy p on p.polrelid = r.oid
where r.relrowsecurity and p.polcmd in ('r', '*')
group by r.oid, r.nspname, r.relname
union all
-- A value becomes a row: the columns' domains check it.
select pg_catalog.format('row type %s.%s', r.nspname, r.relname), null, 'types',
  pg_catalog.string_agg(distinct pg_catalog.format_type(a.atttypid, null), ' ; ')
from relations r join pg_catalog.pg_attribute a on a.attrelid = r.oid
where (r.relkind = 'c' or r.relname = any ($1::pg_catalog.name[] || $3::pg_catalog.name[]))
  and a.attnum > 0 and a.atttypid >= 16384
group by r.oid, r.nspname, r.relname
union all
select pg_catalog.format('type %s.%s', n.nspname, t.typname), null, 'types',
  case t.typtype
    when 'd' then pg_catalog.format_type(t.typbasetype, null) || ' ; ' || coalesce(
      (select pg_catalog.string_agg(pg_catalog.pg_get_constraintdef(c.oid), ' ; ')
       from pg_catalog.pg_constraint c where c.contypid = t.oid), '')
    when 'r' then
      (select pg_catalog.format_type(r.rngsubtype, null) from pg_catalog.pg_range r
       where r.rngtypid = t.oid)
    when 'm' then
      (select pg_catalog.format_type(r.rngsubtype, null) from pg_catalog.pg_range r
       where pg_catalog.to_jsonb(r) ->> 'rngmultitypid' = t.oid::pg_catalog.text)
    else pg_catalog.format_type(t.typelem, null)
  end
from pg_catalog.pg_type t join pg_catalog.pg_namespace n on n.oid = t.typnamespace
where t.typname = any ($2::pg_catalog.name[]) and t.oid >= 16384
  and (t.typtype in ('d', 'r', 'm') or t.typelem <> 0))";

}  // namespace

std::string lane_unnamed_query() {
  return std::string(unnamed_wanted).append(judge_functions).append(unnamed_rest);
}

std::string lane_names_query() {
  return std::string(names_wanted).append(judge_functions).append(names_rest);
}

}  // namespace scalekit::db::detail
