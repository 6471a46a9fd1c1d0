#include "adapters/result_cache_state.hpp"

#include "core/require.hpp"
#include "db/topology/lsn.hpp"
#include "scalekit/core/error.hpp"
#include "scalekit/core/random.hpp"
#include "scalekit/db/bulk.hpp"

#include <charconv>
#include <chrono>
#include <cstring>
#include <tuple>
#include <utility>
#include <vector>

namespace scalekit::adapters::detail {

using namespace std::chrono_literals;
using db::sql;

namespace {

/// The history that the primary writes to, and where it is. The name of a segment of the log begins
/// with its timeline. The insert position, not the flushed one: a commit of a session with
/// synchronous_commit = off can be seen before it is flushed.
///
/// Notifies $1 of $2 as well, unless $1 is empty.
using position_row = std::tuple<std::int64_t, std::string, std::int64_t, std::string>;
constexpr db::sql_text probe_text =
    "select (select system_identifier from pg_control_system()),"
    " pg_walfile_name(pg_current_wal_insert_lsn()),"
    " (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::bigint,"
    " case when $1 = '' then '' else pg_notify($1, $2)::text end";

/// Whether a table has the trigger of change_trigger_script(), or is none.
constexpr db::sql_text trigger_text =
    "select to_regclass($1) is null or exists (select from pg_trigger"
    " where tgrelid = to_regclass($1) and tgname = $2 and tgenabled <> 'D')";

db::causal_token position_in(const std::vector<position_row>& rows) {
  if (rows.size() != 1) return {};
  const auto& [system, segment, lsn, notified] = rows.front();
  const auto timeline = db::detail::timeline_of_segment(segment);
  if (system == 0 || timeline == 0 || lsn == 0) return {};
  return db::causal_token::postgres(static_cast<std::uint64_t>(system), timeline,
                                    static_cast<std::uint64_t>(lsn));
}

std::uint64_t number_in(std::string_view text) {
  std::uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

std::string bytes_of(std::uint64_t number) {
  std::string bytes(sizeof number, '\0');
  std::memcpy(bytes.data(), &number, sizeof number);
  return bytes;
}

std::string hex(const std::string& bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (const char c : bytes) {
    text += digits[static_cast<unsigned char>(c) >> 4];
    text += digits[static_cast<unsigned char>(c) & 15];
  }
  return text;
}

void validate(const result_cache_params& p) {
  using scalekit::detail::require;
  using scalekit::detail::require_range;
  require(p.listen_url.empty() == p.is_only_writer, "result_cache_params.listen_url",
          p.is_only_writer ? "set, and is_only_writer too"
                           : "empty, and is_only_writer false: nobody would tell of changes",
          "one of them");
  require(!p.channel.empty() && p.channel.size() <= 46 && p.channel.find('\0') == std::string::npos,
          "result_cache_params.channel", p.channel, "1 to 46 bytes, and no NUL");
  require_range("result_cache_params.max_staleness", p.max_staleness, 200ms, 1min);
  require_range("result_cache_params.max_rows", p.max_rows, 1, 10'000'000);
  require_range("result_cache_params.max_bytes", p.max_bytes, 1024, std::size_t{1} << 30);
  require_range("result_cache_params.timeout", p.timeout, 1ms, 24h);
}

const result_cache_params& validated(const result_cache_params& p) {
  validate(p);
  return p;
}

}  // namespace

result_cache_state::result_cache_state(db::client c, cache::store s, result_cache_params p)
    : client(std::move(c)),
      store(std::move(s)),
      params(validated(p)),
      id(bytes_of(random_generator::random_seed())),
      own_channel_(params.channel + '_' + hex(id)),
      board_({.listens = !params.is_only_writer, .max_staleness = params.max_staleness}) {}

void result_cache_state::start() {
  if (params.is_only_writer) return;
  // Weak: the listener must not keep alive what owns it.
  const auto self = weak_from_this();
  const auto on_each = [self](auto member) {
    return [self, member](const auto&... said) {
      if (const auto alive = self.lock()) member(*alive, said...);
    };
  };
  listener_ = std::make_unique<db::listener>(
      params.listen_url,
      db::listener_params{
          .channels = {params.channel, own_channel_},
          .on_notification = on_each([](auto& s, const db::notification& n) { s.heard(n); }),
          .on_resync = on_each([](auto& s) {
            s.counted.resyncs.add();
            s.tell([](change_board& b, time_point now) { b.began_to_listen(now); });
          }),
          // Without reads it is what sends the probes: in time, and not so often that a server
          // which is slow to answer counts as lost.
          .check_interval = params.max_staleness / 2,
          .on_check = on_each([](auto& s) { s.tell([](change_board&, time_point) {}); }),
          .credentials = params.credentials,
          .log = params.log});
}

template <class What>
void result_cache_state::tell(What what) {
  const auto now = std::chrono::steady_clock::now();
  std::unique_lock lock(mutex_);
  what(board_, now);
  const auto next = board_.next_probe(now);
  lock.unlock();
  if (next) send(*next);
}

void result_cache_state::heard(const db::notification& said) {
  if (said.channel == own_channel_) {
    tell([&](change_board& b, time_point) { b.echoed(number_in(said.payload)); });
    return;
  }
  counted.notices.add();
  tell([&](change_board& b, time_point) { b.noticed(said.payload); });
}

read_plan result_cache_state::plan(std::span<const std::string> tables, const read_need& need) {
  read_plan result;
  std::vector<std::string> first_seen;
  tell([&](change_board& b, time_point now) {
    if (listener_ && !listener_->is_listening()) b.went_deaf();
    result = b.plan(tables, need, now);
    if (params.is_only_writer) return;
    for (const auto& name : tables) {
      if (looked_at_.insert(name).second) first_seen.push_back(name);
    }
  });
  for (const auto& name : first_seen) look_for_trigger(name);
  return result;
}

bool result_cache_state::is_current(std::span<const std::string> tables,
                                    const read_plan& plan) const {
  const std::lock_guard lock(mutex_);
  return board_.is_current(tables, plan);
}

void result_cache_state::wrote(std::span<const std::string> tables, std::string_view token) {
  const auto place = db::causal_token::parse(token);
  counted.tables_written.add(tables.size());
  tell([&](change_board& b, time_point) { b.wrote(tables, place); });
}

void result_cache_state::lost_writes() {
  tell([](change_board& b, time_point) { b.lost_writes(); });
}

void result_cache_state::send(const change_board::probe& probe) {
  counted.probes.add();
  const auto number = probe.number;
  try {
    client.async_read<position_row>(
        sql(probe_text, probe.with_echo ? own_channel_ : std::string(), std::to_string(number)),
        {.timeout = params.max_staleness, .consistency = db::consistency::primary()},
        [weak = weak_from_this(), number](std::exception_ptr e,
                                          const std::vector<position_row>& rows) {
          const auto self = weak.lock();
          if (!self) return;
          if (e) return self->failed(number, to_error(e).what());
          const auto position = position_in(rows);
          if (position.is_empty()) return self->failed(number, "the primary gave no position");
          self->tell([&](change_board& b, time_point) {
            self->is_failing_ = false;
            b.answered(number, position);
          });
        });
  } catch (const std::exception& e) {
    failed(number, e.what());
  }
}

/// A trigger that is missing is otherwise found out by users who see old rows.
void result_cache_state::look_for_trigger(const std::string& name) {
  try {
    client.async_read<bool>(
        sql(trigger_text, db::detail::quoted_table(name), params.channel),
        {.timeout = params.timeout, .consistency = db::consistency::primary()},
        [weak = weak_from_this(), name](std::exception_ptr e, const std::vector<bool>& found) {
          const auto self = weak.lock();
          if (!self || e || found.empty() || found.front()) return;
          self->params.log(log_level::warning, "adapters.result_cache.no_trigger",
                           "changes of a table by others are not heard: it has no trigger that "
                           "notifies the channel; see install_change_triggers()",
                           {{"table", name}, {"channel", self->params.channel}});
        });
  } catch (const std::exception&) {
    // The reads themselves will say what is wrong.
  }
}

void result_cache_state::failed(std::uint64_t number, const char* why) {
  counted.probes_failed.add();
  const auto now = std::chrono::steady_clock::now();
  std::unique_lock lock(mutex_);
  board_.failed(number, now);
  const bool is_first = !std::exchange(is_failing_, true);
  lock.unlock();
  if (is_first) {
    params.log(log_level::warning, "adapters.result_cache.probe_failed", why,
               {{"channel", params.channel}});
  }
}

result_cache_statistics result_cache_state::statistics() const {
  result_cache_statistics s;
  s.hits = counted.hits.value();
  s.misses = counted.misses.value();
  s.shared = counted.shared.value();
  s.bypassed_by_choice = counted.by_choice.value();
  s.bypassed_deaf = counted.deaf.value();
  s.bypassed_ahead = counted.ahead.value();
  s.not_kept_changed = counted.changed.value();
  s.not_kept_large = counted.large.value();
  s.tables_written = counted.tables_written.value();
  s.notices = counted.notices.value();
  s.resyncs = counted.resyncs.value();
  s.probes = counted.probes.value();
  s.probes_failed = counted.probes_failed.value();
  const std::lock_guard lock(mutex_);
  s.silence = board_.silence(std::chrono::steady_clock::now());
  return s;
}

}  // namespace scalekit::adapters::detail
