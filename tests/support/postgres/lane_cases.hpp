#pragma once

#include <array>
#include <cstddef>
#include <string_view>

/// Statements of which it is known whether they may share a connection, for lane_proof against a
/// real server: run lane_schema (as a superuser, who is then the owner of all), prove each case.
namespace scalekit::db::support {

inline constexpr std::string_view lane_schema = R"sql(
create schema app;
set search_path = app, public;
create table product (id int primary key, category text, stock int not null default 0,
  price numeric, tags text[], doc jsonb, created timestamptz default clock_timestamp());
create table line (order_id int, product_id int references product, amount int,
  total numeric generated always as (amount * 2) stored);
create sequence ticket;
create table audit (id bigint default nextval('app.ticket'), what text);
create table old_product (discontinued date) inherits (product);
create table event (day date, what text) partition by range (day);
create table event_2025 partition of event for values from ('2025-01-01') to ('2026-01-01');
create table event_2026 partition of event for values from ('2026-01-01') to ('2027-01-01');

create function volatile_one(int) returns int language plpgsql as
  $$ begin insert into app.audit (what) values ('called'); return $1; end $$;
create function volatile_strict(int) returns int strict language plpgsql volatile as
  $$ begin return $1; end $$;
create function lazy_sql(int) returns int language sql as 'select $1 + 1';
create function stable_sql(int) returns int language sql stable as 'select $1 + 1';
create function stable_atomic(int) returns int language sql stable begin atomic select $1 + 1; end;
create function stable_plpgsql(int) returns int language plpgsql stable as
  $$ begin return (select count(*) from app.product where stock > $1); end $$;
create function mislabelled_lock(int) returns int language plpgsql stable as
  $$ begin perform pg_advisory_xact_lock($1); return $1; end $$;
create function mislabelled_immutable(int) returns int language plpgsql immutable as
  $$ begin perform pg_notify('app', 'x'); return $1; end $$;
create function calls_volatile(int) returns int language plpgsql stable as
  $$ begin return app.volatile_one($1); end $$;
create function calls_as_attribute(int) returns int language plpgsql stable as
  $$ begin return ($1 + 1).volatile_one; end $$;
create function calls_deeper(int) returns int language plpgsql stable as
  $$ begin return app.stable_sql(app.calls_volatile($1)); end $$;
create function recursive_stable(int) returns int language plpgsql stable as
  $$ begin return case when $1 <= 0 then 0 else app.recursive_stable($1 - 1) end; end $$;
create function dynamic(text) returns int language plpgsql stable as
  $$ declare n int; begin execute 'select count(*) from ' || $1 into n; return n; end $$;
create function says_execute_in_a_comment(int) returns int language plpgsql stable as
  $$ begin /* we do not execute 'select volatile_one(1)' */ return $1; end $$;
create function default_volatile(int, int default nextval('app.ticket')::int) returns int
  language plpgsql stable as $$ begin return $2; end $$;
create function fn_of_row(app.product) returns int language plpgsql volatile as
  $$ begin return 1; end $$;
create function stable_of_row(app.product) returns int language sql stable as 'select $1.stock';
create function products_over(int) returns setof app.product language sql stable as
  'select * from app.product where stock > $1';
create function volatile_set(int) returns setof int language plpgsql as
  $$ begin return next $1; end $$;
create function locks_in_sql(int) returns setof app.product language sql volatile as
  'select * from app.product where id = $1 for update';
create function "Quoted Name"(int) returns int language plpgsql volatile as
  $$ begin return $1; end $$;
create function calls_quoted(int) returns int language plpgsql stable as
  $$ begin return app."Quoted Name"($1); end $$;
create function reads_view(int) returns bigint language plpgsql stable as
  $$ begin return (select count(*) from app.v_volatile); end $$;
create function overloaded(int) returns int language sql immutable as 'select $1';
create function overloaded(text) returns text language plpgsql volatile as
  $$ begin return $1; end $$;

create view v_plain as select id, category, stock from app.product where stock > 0;
create view v_over as select * from app.v_plain where category is not null;
create view v_volatile as select id, app.volatile_one(id) as n from app.product;
create view v_over_volatile as select id, n from app.v_volatile where id > 0;
create view v_unused_volatile as select id, random() as dice from app.product;
create view v_for_update as select id, stock from app.product for update;
create view v_hidden_constant as select app.mislabelled_immutable(1) as one, id from app.product;
create view v_barrier with (security_barrier) as select id, stock from app.product where stock > 0;
create view v_clock as select id, clock_timestamp() as seen from app.product;
create view v_now as select id, now() as seen from app.product;
create materialized view m_random as select id, random() as dice from app.product;
create view v_rule as select id, stock from app.product;
create rule v_rule_update as on update to v_rule do instead nothing;

create table tenant_row (id int, tenant text);
alter table tenant_row enable row level security;
alter table tenant_row force row level security;
create policy tenant_of on tenant_row using (tenant = current_setting('app.tenant', true));
create table policy_volatile (id int, tenant text);
alter table policy_volatile enable row level security;
create policy logs on policy_volatile for select using (app.volatile_one(id) > 0);

create function sum_step(int, int) returns int language sql immutable as 'select $1 + $2';
create function volatile_step(int, int) returns int language plpgsql volatile as
  $$ begin return $1 + $2; end $$;
create function volatile_final(int) returns int language plpgsql volatile as
  $$ begin return $1; end $$;
create aggregate good_sum(int) (sfunc = app.sum_step, stype = int, initcond = '0');
create aggregate bad_sum(int) (sfunc = app.volatile_step, stype = int, initcond = '0');
create aggregate bad_final(int) (sfunc = app.sum_step, stype = int, finalfunc = app.volatile_final);

create function same_ignoring_case(text, text) returns boolean language sql immutable as
  'select lower($1) = lower($2)';
create function noisy_same(text, text) returns boolean language plpgsql volatile as
  $$ begin return $1 = $2; end $$;
create operator === (leftarg = text, rightarg = text, function = app.same_ignoring_case);
create operator ==== (leftarg = text, rightarg = text, function = app.noisy_same);

create domain positive as int check (value > 0);
create function valid_mail(text) returns boolean language plpgsql as
  $$ begin return $1 like '%@%'; end $$;
create domain mail as text check (app.valid_mail(value));
create type contact as (name text, address app.mail);
create table customer (id int, address app.mail, count app.positive);
create function takes_mail(app.mail) returns text language sql stable as 'select $1::text';
create function takes_customer(app.customer) returns int language sql stable as 'select $1.id';
create function casts_inside(text) returns text language plpgsql stable as
  $$ declare c app.customer; begin c.address := $1; return c.address; end $$;

create type temperature as (degrees numeric);
create function parse_temperature(text) returns app.temperature language plpgsql volatile as
  $$ begin return row($1::numeric)::app.temperature; end $$;
create cast (text as app.temperature) with function app.parse_temperature(text);
create type mood as enum ('sad', 'ok');

create extension if not exists file_fdw schema public;
create server files foreign data wrapper file_fdw;
create foreign table remote_product (line text) server files options (filename '/dev/null');
create extension if not exists tablefunc schema public;
create extension if not exists citext schema public;
create extension if not exists pgcrypto schema public;
create extension if not exists tsm_system_rows schema public;
create table person (id int, name public.citext);
analyze;
)sql";

struct lane_case {
  std::string_view situation;
  std::string_view sql;
  std::size_t parameters = 0;
  bool proven = false;
  /// Part of the reason when it is not proven.
  std::string_view reason = {};
};

inline constexpr auto lane_cases = std::to_array<lane_case>({
    // Plain reads.
    {"a point read", "select id, stock from product where id = $1", 1, true},
    {"a join",
     "select p.id, l.amount from product p join line l on l.product_id = p.id "
     "where p.category = $1",
     1, true},
    {"a join by USING and GROUP BY",
     "select category, count(*), sum(p.price), max(p.created) from "
     "product p join old_product using (id, category) group by category having count(*) > $1 "
     "order by 2 desc limit 10",
     1, true},
    {"a window", "select id, row_number() over (partition by category order by price) from product",
     0, true},
    {"a CTE",
     "with top as (select id from product order by price desc limit $1) "
     "select * from top",
     1, true},
    {"a recursive CTE",
     "with recursive t(n) as (select 1 union all select n + 1 from t "
     "where n < $1) select sum(n) from t",
     1, true},
    {"set operations",
     "(select id from product except select product_id from line) "
     "union all values (1), (2)",
     0, true},
    {"a lateral subquery",
     "select p.id, x.s from product p, lateral (select sum(amount) s from "
     "line where product_id = p.id) x",
     0, true},
    {"a partitioned table", "select * from event where day = $1", 1, true},
    {"a set-returning builtin", "select g, upper('x') from generate_series(1, $1) g", 1, true},
    {"several functions in FROM",
     "select * from rows from (generate_series(1, 2), "
     "unnest(array[$1::text])) with ordinality",
     1, true},
    {"json", "select doc ->> 'a', doc @> $1, jsonb_path_query(doc, '$.b') from product", 1, true},
    {"an array search", "select id from product where id = any ($1) and tags && $2", 2, true},
    {"a generated column", "select total from line where total > $1", 1, true},
    {"LIKE, IN, BETWEEN, IS DISTINCT FROM",
     "select id from product where category like $1 and "
     "id in (1, 2, $2) and price between 1 and 2 and stock is distinct from 3",
     2, true},
    {"special syntax",
     "select extract(year from created), substring(category from 1 for 2), "
     "trim(category), overlay(category placing 'x' from 1), coalesce(stock, 0), "
     "greatest(1, stock), created at time zone 'utc' from product",
     0, true},
    {"now()", "select now(), current_date, current_user, localtimestamp", 0, true},
    {"xmltable", "select * from xmltable('/a' passing xml($1) columns b text path 'b')", 1, true},
    {"a tid scan", "select * from product where ctid = $1", 1, true},
    {"values", "values ($1::int), (2)", 1, true},
    {"table", "table product", 0, true},
    {"an enum", "select $1::app.mood", 1, true},
    {"citext, an extension in C", "select * from person where name = $1 order by name", 1, true},
    {"digest() of an extension in C", "select digest($1::text, 'sha256')", 1, true},
    {"a materialized view", "select dice from m_random where id = $1", 1, true},
    {"a column that defaults to a sequence", "select id, what from audit where id = $1", 1, true},
    {"a catalogue", "select relname from pg_class where oid = $1", 1, true},

    // Locks and writes.
    {"FOR UPDATE", "select * from product where id = $1 for update", 1, false, "locks rows"},
    {"FOR KEY SHARE below", "select * from (select id from product for key share) x", 0, false,
     "locks rows"},
    {"FOR NO KEY UPDATE SKIP LOCKED in a CTE",
     "with x as materialized (select id from product for "
     "no key update skip locked) select * from x",
     0, false, "locks rows"},
    {"FOR UPDATE in a view", "select * from v_for_update", 0, false, "LockRows"},
    {"FOR UPDATE in an SQL function", "select * from locks_in_sql($1)", 1, false, "locks_in_sql"},
    {"an update", "update product set stock = 1", 0, false, "not a plain query"},
    {"an update in a CTE",
     "with x as (update product set stock = 1 returning id) "
     "select * from x",
     0, false, "not a plain query"},
    {"explain", "explain select 1", 0, false, "not a plain query"},
    {"show", "show work_mem", 0, false, "not a plain query"},

    // Volatile functions of PostgreSQL.
    {"random()", "select random()", 0, false, "random is volatile"},
    {"a sequence", "select nextval('app.ticket')", 0, false, "nextval"},
    {"a sequence that a NULL argument would fold", "select nextval($1::text::regclass)", 1, false,
     "nextval"},
    {"an advisory lock", "select pg_try_advisory_lock($1)", 1, false, "pg_try_advisory_lock"},
    {"an advisory lock never reached", "select 1 where false and pg_try_advisory_lock(1)", 0, false,
     "pg_try_advisory_lock"},
    {"notify", "select pg_notify('a', $1)", 1, false, "pg_notify"},
    {"a setting", "select set_config('app.tenant', $1, false)", 1, false, "set_config"},
    {"a large object", "select lo_get($1)", 1, false, "lo_get"},
    {"a transaction id, though called stable", "select txid_current()", 0, false, "txid_current"},
    {"SQL in a string, though called stable",
     "select * from crosstab('select 1, 2, 3') as "
     "t(a int, b int)",
     0, false, "crosstab"},
    {"a table named in a string", "select table_to_xml('app.v_volatile', true, false, '')", 0,
     false, "table_to_xml"},
    {"gen_random_uuid()", "select gen_random_uuid()", 0, false, "gen_random_uuid"},
    {"statistics views", "select * from pg_locks", 0, false, "pg_lock_status"},

    // Functions of the schema.
    {"a volatile function", "select volatile_one($1)", 1, false, "volatile_one"},
    {"a strict one that NULL would fold", "select volatile_strict($1)", 1, false,
     "volatile_strict"},
    {"with its schema, quoted and spaced", "select \"app\" . \"volatile_one\" /* x */ ($1)", 1,
     false, "volatile_one"},
    {"with a quoted name", "select \"Quoted Name\"($1)", 1, false, "Quoted Name"},
    {"in a default branch", "select coalesce($1, volatile_one(1))", 1, false, "volatile_one"},
    {"as an attribute of a row", "select p.fn_of_row from product p", 0, false, "fn_of_row"},
    {"as an attribute of a number", "select (id).volatile_one from product", 0, false,
     "volatile_one"},
    {"as an attribute inside a function", "select calls_as_attribute($1)", 1, false,
     "volatile_one"},
    {"a stable one as an attribute", "select p.stable_of_row from product p", 0, true},
    {"an SQL function without a label", "select lazy_sql($1)", 1, false, "lazy_sql"},
    {"a stable SQL function", "select stable_sql($1)", 1, true},
    {"a stable function with a body of standard SQL", "select stable_atomic($1)", 1, true},
    {"a stable PL/pgSQL function", "select stable_plpgsql($1)", 1, true},
    {"a function that calls itself", "select recursive_stable($1)", 1, true},
    {"a stable function that locks", "select mislabelled_lock($1)", 1, false,
     "pg_advisory_xact_lock"},
    {"an immutable function with effects, folded away", "select mislabelled_immutable(1)", 0, false,
     "pg_notify"},
    {"a stable function that calls a volatile one", "select calls_volatile($1)", 1, false,
     "volatile_one"},
    {"the same two calls down", "select calls_deeper($1)", 1, false, "volatile_one"},
    {"the same by a quoted name", "select calls_quoted($1)", 1, false, "Quoted Name"},
    {"a function that reads a view that calls a volatile one", "select reads_view($1)", 1, false,
     "volatile_one"},
    {"dynamic SQL", "select dynamic($1)", 1, false, "dynamic SQL"},
    {"the word execute in a comment", "select says_execute_in_a_comment($1)", 1, true},
    {"a default for an argument from a sequence", "select default_volatile($1)", 1, false,
     "nextval"},
    {"an inlined set-returning function", "select * from products_over($1)", 1, true},
    {"a volatile set-returning function", "select * from volatile_set($1)", 1, false,
     "volatile_set"},
    {"another overload is volatile", "select overloaded($1::int)", 1, false, "overloaded"},
    {"in ORDER BY", "select id from product order by volatile_one(id)", 0, false, "volatile_one"},
    {"in a join condition",
     "select 1 from product p join line l on volatile_one(p.id) = "
     "l.product_id",
     0, false, "volatile_one"},
    {"in LIMIT", "select id from product limit volatile_one(1)", 0, false, "volatile_one"},
    {"in FILTER", "select count(*) filter (where volatile_one(id) > 0) from product", 0, false,
     "volatile_one"},
    {"in a window's frame",
     "select sum(stock) over (order by id rows volatile_one(1) preceding) "
     "from product",
     0, false, "volatile_one"},
    {"in a scalar subquery that is never run",
     "select case when false then "
     "(select volatile_one(1)) end",
     0, false, "volatile_one"},

    // Views and policies.
    {"a view over a view", "select * from v_over where id = $1", 1, true},
    {"a security barrier view", "select * from v_barrier where id = $1", 1, true},
    {"a view with a rule for updates", "select * from v_rule where id = $1", 1, true},
    {"a view with now()", "select * from v_now", 0, true},
    {"a view that calls a volatile function", "select id from v_volatile where n = $1", 1, false,
     "volatile_one"},
    {"a view over such a view", "select n from v_over_volatile", 0, false, "volatile_one"},
    {"a view whose volatile column is not read", "select id from v_unused_volatile", 0, false,
     "random"},
    {"a view with clock_timestamp()", "select * from v_clock", 0, false, "clock_timestamp"},
    {"a view whose call was folded away", "select id from v_hidden_constant", 0, false,
     "pg_notify"},
    {"a policy by a setting", "select * from tenant_row where id = $1", 1, true},
    {"a policy that calls a volatile function", "select * from policy_volatile where id = $1", 1,
     false, "volatile_one"},

    // What is not called by name.
    {"an aggregate of the schema", "select good_sum(stock) from product", 0, true},
    {"an aggregate with a volatile step", "select bad_sum(stock) from product", 0, false,
     "volatile_step"},
    {"an aggregate with a volatile end", "select bad_final(stock) from product", 0, false,
     "volatile_final"},
    {"such an aggregate as a window", "select bad_sum(stock) over () from product", 0, false,
     "volatile_step"},
    {"an operator of the schema", "select id from product where category === $1", 1, true},
    {"a volatile operator", "select id from product where category ==== $1", 1, false,
     "noisy_same"},
    {"a volatile operator by its long name", "select 'a' operator(app.====) 'b'", 0, false,
     "noisy_same"},
    {"a harmless domain", "select $1::app.positive", 1, true},
    {"a domain whose check calls a volatile function", "select $1::app.mail", 1, false,
     "valid_mail"},
    {"such a domain by CAST", "select cast($1 as app.mail)", 1, false, "valid_mail"},
    {"such a domain in an array", "select $1::app.mail[]", 1, false, "valid_mail"},
    {"such a domain in a composite", "select $1::app.contact", 1, false, "valid_mail"},
    {"such a domain in the row type of a table",
     "select json_populate_record(null::app.customer, "
     "$1)",
     1, false, "valid_mail"},
    {"such a domain as the type of an argument", "select takes_mail($1)", 1, false, "valid_mail"},
    {"such a domain in a variable of a function", "select casts_inside($1)", 1, false,
     "valid_mail"},
    {"such a domain in a row given for an argument", "select takes_customer(row(1, 'a@b', 2))", 0,
     false, "valid_mail"},
    {"such a domain in the type of an alias", "select jsonb_populate_record(c, $1) from customer c",
     1, false, "valid_mail"},
    {"such a domain in the columns of an alias",
     "select * from json_to_record($1) as t(c "
     "app.customer)",
     1, false, "valid_mail"},
    {"a column of such a domain, only read", "select address from customer where id = $1", 1, true},
    {"a volatile cast", "select $1::text::app.temperature", 1, false, "parse_temperature"},

    // Beyond the tables of this server.
    {"a foreign table", "select * from remote_product", 0, false, "Foreign Scan"},
    {"a sample", "select * from product tablesample system (10)", 0, false, "Sample Scan"},
    {"a sample by an extension", "select * from product tablesample system_rows (10)", 0, false,
     "Sample Scan"},
});

}  // namespace scalekit::db::support
