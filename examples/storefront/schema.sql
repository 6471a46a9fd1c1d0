-- The shop's tables, as SQLite takes them; schema.cpp makes PostgreSQL's of them. The queue keeps
-- its own in the same database, so that an order and its jobs commit together. Times are microseconds since 1970-01-01 UTC, money is in cents.

create table if not exists product (
  id integer primary key,
  name text not null unique,            -- also serves the prefix search
  version text not null,
  category text not null,
  manufacturer text not null,
  description text not null,
  size_bytes integer not null,
  price_cents integer not null check (price_cents > 0),
  initial_stock integer not null,       -- stock + everything ever ordered: never changes
  stock integer not null check (stock >= 0)
) strict;

-- Keyset pages of a category: the index order is the page order, a page is one range.
create index if not exists product_by_category on product (category, id);

-- "Goes with": by name, because a supplier may name what we do not sell.
create table if not exists dependency (
  product_id integer not null references product (id),
  position integer not null,
  depends_on text not null,
  primary key (product_id, position)
) strict, without rowid;

-- One row: the catalogue is complete. Written with the last product, so its absence after a
-- crash says that the import must be done again.
create table if not exists catalogue_import (
  id integer primary key check (id = 1),
  source text not null,
  products integer not null,
  finished_at integer not null
) strict;

create table if not exists retailer (
  id integer primary key,
  name text not null,
  email text not null
) strict;

create table if not exists account (
  name text primary key,
  retailer_id integer not null references retailer (id),
  password_hash text not null           -- crypt(3): method, salt and hash in one string
) strict, without rowid;

-- What retailers bought before this shop went online: it makes the dashboard a real query.
create table if not exists past_sale (
  id integer primary key,
  retailer_id integer not null references retailer (id),
  product_id integer not null references product (id),
  month integer not null,
  quantity integer not null,
  revenue_cents integer not null
) strict;

create table if not exists orders (
  id integer primary key,
  retailer_id integer not null references retailer (id),
  placed_at integer not null,
  total_cents integer not null,
  -- The jobs that were enqueued in the order's own transaction.
  payment_job text not null,
  inventory_job text not null,
  email_job text not null
) strict;

create index if not exists orders_by_retailer on orders (retailer_id, placed_at);

create table if not exists order_line (
  order_id integer not null references orders (id),
  line integer not null,
  product_id integer not null references product (id),
  quantity integer not null check (quantity > 0),
  price_cents integer not null,
  primary key (order_id, line)
) strict, without rowid;

-- Effects of jobs. Each names its job: a second run of a job finds its row and does nothing.

create table if not exists payment (
  job_id text primary key,
  order_id integer not null unique references orders (id),
  amount_cents integer not null,
  paid_at integer not null
) strict, without rowid;

create table if not exists inventory_movement (
  job_id text not null,
  product_id integer not null references product (id),
  order_id integer not null references orders (id),
  quantity integer not null,            -- negative: left the warehouse
  moved_at integer not null,
  primary key (job_id, product_id)
) strict, without rowid;

create index if not exists inventory_movement_by_order on inventory_movement (order_id);

create table if not exists outbox (
  job_id text primary key,              -- the mail is DIR/outbox/<job_id>.eml
  order_id integer not null unique references orders (id),
  sent_at integer not null
) strict, without rowid;

create table if not exists report (
  job_id text primary key,              -- the file is DIR/reports/<job_id>.csv
  bytes integer not null,
  written_at integer not null
) strict, without rowid;

create table if not exists backup (
  job_id text primary key,              -- the file is DIR/backups/<job_id>.db or .csv
  bytes integer not null,
  written_at integer not null
) strict, without rowid;
