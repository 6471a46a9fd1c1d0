#include "db/classify/function_catalogue.hpp"
#include "db/classify/statement_class.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

using namespace scalekit::db::detail;

namespace {

using kind = statement_kind;

struct kind_case {
  std::string_view sql;
  kind wanted;
};

void check_kinds(const std::vector<kind_case>& table) {
  for (const auto& c : table) {
    INFO(c.sql);
    CHECK(static_cast<int>(classify(c.sql).kind) == static_cast<int>(c.wanted));
  }
}

std::string functions_of(std::string_view sql) {
  std::string all;
  for (const auto& f : classify(sql).functions) {
    if (!all.empty()) all += ' ';
    all += f.schema.empty() ? f.name : f.schema + "." + f.name;
  }
  return all;
}

function_catalogue small_catalogue() {
  function_catalogue known;
  known.add("pg_catalog", "count", false);
  known.add("pg_catalog", "now", false);
  known.add("pg_catalog", "txid_current", false);
  known.add("app", "pure", false);
  known.add("app", "logs", true);
  known.add("app", "twice", false);
  known.add("util", "twice", true);
  return known;
}

}  // namespace

TEST_CASE("statements that only read") {
  check_kinds({
      {"select 1", kind::read},
      {"  -- first\n/* a /* nested */ comment */ SELECT 1 ; ; ", kind::read},
      {"values (1), (2)", kind::read},
      {"table product", kind::read},
      {"((select 1) union (select 2)) order by 1", kind::read},
      {"with a as (select 1), b(x) as materialized (values (1)) select * from a, b", kind::read},
      {"with recursive t(n) as (select 1 union all select n + 1 from t) select n from t",
       kind::read},
      {"show work_mem", kind::read},
      {"explain update t set a = 1", kind::read},
      {"explain (verbose, format json) delete from t", kind::read},
      {"explain (select 1)", kind::read},
      {"explain analyze select 1", kind::read},
      {"explain (analyze off) update t set a = 1", kind::read},
      {"explain analyze verbose with x as (select 1) select * from x", kind::read},
  });
}

TEST_CASE("words in strings, comments and names are not commands") {
  check_kinds({
      {"select 'a; delete from t', $$ ; update t set a = 1 $$, $x$ into $x$, E'\\'; drop t'",
       kind::read},
      {"select \"select\", \"into\", t.into, t.update, \"a\"\"; delete from b\" from t",
       kind::read},
      {"select 1 as into, 2 as update", kind::read},
      {"select update, delete, insert, merge from t", kind::read},
      {"with x as (select delete, update from t) select max(update) from x", kind::read},
      {"select 1 /* ; delete from t */ -- ; delete from t", kind::read},
      {"select a from t where b in ('x' 'y')", kind::read},
  });
}

TEST_CASE("statements that write, wherever the write stands") {
  check_kinds({
      {"insert into t values (1)", kind::write},
      {"update t set a = 1", kind::write},
      {"delete from t", kind::write},
      {"merge into t using s on t.a = s.a when matched then delete", kind::write},
      {"with x as (update t set a = 1 returning a) select * from x", kind::write},
      {"with x as (delete from t returning a) select * from x", kind::write},
      {"with x as not materialized (insert into t select 1 returning a) table x", kind::write},
      {"with x as (select 1) update t set a = 1", kind::write},
      {"with x as (select 1) delete from t", kind::write},
      {"with x as (with y as (delete from t returning a) select * from y) select 1", kind::write},
      {"with a as (select 1) search depth first by b set c update only t set a = 1", kind::write},
      {"with x as (update \"T\" set a = 1 returning a) select * from x for update", kind::write},
      {"(with x as (delete from t returning 1) select * from x)", kind::write},
      {"select * into copy_of_t from t", kind::write},
      {"select 1 into x", kind::write},
      {"explain analyze delete from t", kind::write},
      {"EXPLAIN (COSTS, ANALYZE) update t set a = 1", kind::write},
      {"explain (analyze on) with x as (delete from t returning 1) select * from x", kind::write},
      {"call f()", kind::write},
      {"do $$ begin end $$", kind::write},
      {"create table t (a int)", kind::write},
      {"create rule r as on update to t do also (select 1; select 2)", kind::write},
      {"create function f() returns int begin atomic select 1; select 2; end", kind::write},
      {"drop table t", kind::write},
      {"truncate t", kind::write},
      {"vacuum", kind::write},
      {"notify a", kind::write},
      {"refresh materialized view v", kind::write},
      {"copy t from '/tmp/x'", kind::write},
      {"copy t to program 'x'", kind::write},
      {"gibberish", kind::write},
      {") select 1", kind::write},
      {"\"select\" 1", kind::write},
  });
}

TEST_CASE("transactions, sessions, copies and lists") {
  check_kinds({
      {"begin", kind::transaction_control},
      {"start transaction read only", kind::transaction_control},
      {"COMMIT AND CHAIN", kind::transaction_control},
      {"commit prepared 'x'", kind::transaction_control},
      {"prepare transaction 'x'", kind::transaction_control},
      {"end", kind::transaction_control},
      {"abort", kind::transaction_control},
      {"rollback to savepoint a", kind::transaction_control},
      {"savepoint a", kind::transaction_control},
      {"release a", kind::transaction_control},
      {"set transaction isolation level serializable", kind::transaction_control},
      {"set constraints all deferred", kind::transaction_control},
      {"set search_path = app", kind::session_state},
      {"set local work_mem = '1MB'", kind::session_state},
      {"set session characteristics as transaction read only", kind::session_state},
      {"reset all", kind::session_state},
      {"discard all", kind::session_state},
      {"listen a", kind::session_state},
      {"unlisten *", kind::session_state},
      {"prepare p as select 1", kind::session_state},
      {"execute p(1)", kind::session_state},
      {"explain execute p(1)", kind::session_state},
      {"deallocate p", kind::session_state},
      {"declare c cursor for select 1", kind::session_state},
      {"fetch 1 from c", kind::session_state},
      {"close c", kind::session_state},
      {"lock table t", kind::session_state},
      {"load 'x'", kind::session_state},
      {"create temp table t (a int)", kind::session_state},
      {"create or replace local temporary view v as select 1", kind::session_state},
      {"create table pg_temp.t (a int)", kind::session_state},
      {"select 1 into temp t", kind::session_state},
      {"copy t (a, b) from stdin with (format binary)", kind::copy_in},
      {"COPY app.t FROM STDIN", kind::copy_in},
      {"copy t to stdout", kind::copy_out},
      {"copy (select a from t where b = 'to stdin') to stdout", kind::copy_out},
      {"select 1; select 2", kind::several},
      {"begin; delete from t; commit", kind::several},
      {"create table a (b int); drop table c", kind::several},
      {"", kind::empty},
      {" ; ; -- nothing", kind::empty},
  });
}

TEST_CASE("every locking clause is seen, at any depth") {
  for (std::string_view sql : {
           "select * from t for update",
           "select * from t FOR NO KEY UPDATE of t skip locked",
           "select * from t for share nowait",
           "select * from t for /* x */ key share",
           "select * from (select * from t for update) x",
           "with x as (select * from t for share) select * from x",
           "select 1 where exists (select 1 from t for key share) limit 1",
           "select * from a for update of a for share of b",
           "select * from t for update limit 1",
       }) {
    INFO(sql);
    const auto c = classify(sql);

    CHECK(static_cast<int>(c.kind) == static_cast<int>(kind::read));
    CHECK(c.locks_rows);
  }
  CHECK_FALSE(
      classify("select substring(a from 1 for 2), 'for update', \"for\" from t").locks_rows);
  CHECK_FALSE(classify("explain select * from t for update").locks_rows);
}

TEST_CASE("functions are found by name, folded as the server folds them") {
  CHECK(functions_of("select Now(), app.F(1), \"App\".\"F\"\"x\" (2), now()") ==
        "now app.f App.F\"x");
  CHECK(functions_of("select f /* args */ (1)") == "f");
  CHECK(functions_of("select db.app.f(1)") == "app.f");
  CHECK(functions_of("select left(a, 1), right(a, 2), key(b), filter(c), zone(d) from t") ==
        "left right key filter zone");
  CHECK(functions_of("select distinct on (a) f(b) from t") == "f");
  CHECK(functions_of("select 'f(1)', \"f\", $1") == "");
}

TEST_CASE("constructs of the grammar are no functions") {
  CHECK(functions_of("select coalesce(a, 1), extract(year from b), cast(a as numeric(10, 2)), "
                     "(a) in (1, 2), exists (select 1), array(select 1), row(1), nullif(a, b), "
                     "trim(both from c), case when (a) then (b) else (c) end, "
                     "a = any (b) and (c) or not (d), count from t join (values (1)) as v (x) "
                     "using (x) where (a) group by (a), cube (b) having (c) order by (d) "
                     "limit (1) offset (2)") == "cube");
  CHECK(functions_of("with x(a, b) as (select 1, 2), y (c) as not materialized (table x) "
                     "select * from f(1) as g(a, b), y") == "f");
  CHECK(functions_of("select count(*) filter (where a), sum(b) over (partition by (c)) from t") ==
        "count sum");
  CHECK(functions_of("select interval (3) '1 s', b::character varying(10) from t") == "");
}

TEST_CASE("parameters and what cannot be read are noted") {
  CHECK(classify("select $1").has_parameters);
  CHECK_FALSE(classify("select '$1', $a$ $1 $a$").has_parameters);
  for (std::string_view sql : {"select 'open", "select /* open", "select U&\"d\\0061t\"",
                               "select \x01", "select $a$ open"}) {
    const auto c = classify(sql);

    CHECK(c.unreadable);
    CHECK(static_cast<int>(c.kind) == static_cast<int>(kind::write));
  }
}

TEST_CASE("a read goes to a replica only if nothing it calls may have effects") {
  const auto known = small_catalogue();
  struct {
    std::string_view sql;
    execute_route wanted;
    execute_route without_catalogue;
  } table[] = {
      {"select 1", execute_route::any, execute_route::any},
      {"select count(*), now() from t", execute_route::any, execute_route::primary},
      {"select pg_catalog.count(*) from t", execute_route::any, execute_route::primary},
      {"select app.pure(1)", execute_route::any, execute_route::primary},
      {"select app.logs(1)", execute_route::primary, execute_route::primary},
      {"select logs(1)", execute_route::primary, execute_route::primary},
      {"select twice(1)", execute_route::primary, execute_route::primary},
      {"select app.twice(1)", execute_route::any, execute_route::primary},
      {"select unheard_of(1)", execute_route::primary, execute_route::primary},
      {"select \"PURE\"(1)", execute_route::primary, execute_route::primary},
      {"select txid_current()", execute_route::primary, execute_route::primary},
      {"select nextval('s')", execute_route::primary, execute_route::primary},
      {"select * from t for share", execute_route::primary, execute_route::primary},
      {"update t set a = 1", execute_route::primary, execute_route::primary},
      {"copy t to stdout", execute_route::any, execute_route::any},
      {"copy (update t set a = 1 returning a) to stdout", execute_route::primary,
       execute_route::primary},
      {"set a = 1", execute_route::primary, execute_route::primary},
      {"explain analyze select app.logs(1)", execute_route::primary, execute_route::primary},
      {"explain select app.logs(1)", execute_route::any, execute_route::any},
      {"", execute_route::primary, execute_route::primary},
  };
  for (const auto& c : table) {
    INFO(c.sql);
    const auto found = classify(c.sql);

    CHECK((route_of(found, &known) == c.wanted));
    CHECK((route_of(found, nullptr) == c.without_catalogue));
  }
}

TEST_CASE("what stays in a session is seen, and what ends with the transaction does not count") {
  const struct {
    std::string_view sql;
    bool wanted;
  } table[] = {
      {"select set_config('a.b', 'c', false)", true},
      {"select pg_catalog.SET_CONFIG('search_path', '', false)", true},
      {"select set_config('a.b', $1, $2)", true},
      {"select set_config('a.b', 'c', not true)", true},
      {"select set_config('a.b', 'c', true)", false},
      {"select set_config(name, f(value, 1), TRUE /* local */) from s", false},
      {"select set_config('a.b', 'c', true), set_config('a.b', 'c', false)", true},
      {"with s as (select set_config('a.b', 'c', false)) select * from t", true},
      {"copy (select set_config('a.b', 'c', false)) to stdout", true},
      {"select pg_advisory_lock(1)", true},
      {"select pg_try_advisory_lock_shared(1, 2)", true},
      {"select pg_advisory_xact_lock(1)", false},
      {"select setseed(0.5)", true},
      {"select app.set_config('a.b', 'c', false)", false},
      {"select 'set_config(1)', set_config from t", false},
      {"explain select set_config('a.b', 'c', false)", false},
      {"explain analyze select set_config('a.b', 'c', false)", true},
      {"update t set a = 1", false},
  };
  for (const auto& c : table) {
    INFO(c.sql);
    CHECK(classify(c.sql).marks_session == c.wanted);
  }
}

TEST_CASE("built-ins with effects are known without a catalogue") {
  for (std::string_view name : {"nextval",
                                "setval",
                                "lastval",
                                "currval",
                                "pg_advisory_xact_lock",
                                "pg_try_advisory_lock",
                                "pg_notify",
                                "set_config",
                                "lo_get",
                                "random",
                                "clock_timestamp",
                                "txid_current",
                                "pg_current_xact_id",
                                "dblink_exec",
                                "pg_sleep",
                                "pg_sleep_for",
                                "pg_terminate_backend",
                                "pg_cancel_backend",
                                "pg_reload_conf",
                                "crosstab"}) {
    INFO(name);
    CHECK(classify("select " + std::string(name) + "(1)").calls_effectful_builtin);
  }
  CHECK_FALSE(classify("select app.random(1), count(*) from t").calls_effectful_builtin);
}
