#include "db/postgres/statement_book.hpp"

#include "scalekit/slow/lexer.hpp"

#include <functional>
#include <unordered_set>
#include <utility>

namespace scalekit::db::postgres {

namespace {

using detail::statement_class;
using detail::statement_kind;

/// Whether it begins with no command of PostgreSQL's: then it is an error, whose text the server
/// writes.
bool begins_no_command(std::string_view text) {
  static const std::unordered_set<std::string_view> commands{
      "abort",  "alter",    "analyze",  "analyse", "call",    "checkpoint", "cluster",  "comment",
      "copy",   "create",   "delete",   "do",      "drop",    "explain",    "grant",    "import",
      "insert", "merge",    "reassign", "refresh", "reindex", "revoke",     "security", "select",
      "table",  "truncate", "update",   "vacuum",  "values",  "with"};
  slow::lexer lexer(text, slow::dialect::postgres);
  auto first = lexer.next_significant();
  while (first.kind == slow::token_kind::open_paren) first = lexer.next_significant();
  std::string word(first.text);
  for (char& c : word) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  return !commands.contains(word);
}

/// What no statement of the host may be.
statement_entry::objection objection_to(const statement_class& says, std::string_view text) {
  if (text.find('\0') != std::string_view::npos) {
    return {errc::invalid_statement, "the statement contains a NUL"};
  }
  switch (says.kind) {
    case statement_kind::empty:
      return {errc::invalid_statement, "the statement is empty"};
    case statement_kind::several:
      return {errc::invalid_statement,
              "several statements in one; run each by itself, or use run_script()"};
    case statement_kind::transaction_control:
      return {errc::not_allowed,
              "not allowed in a statement: transaction control; use transaction()"};
    case statement_kind::session_state:
      return {errc::not_allowed,
              "not allowed in a statement: what leaves something in a session that others get"};
    case statement_kind::copy_in:
    case statement_kind::copy_out:
      return {errc::not_allowed, "not allowed in a statement: COPY from or to the client"};
    case statement_kind::read:
    case statement_kind::write:
      break;
  }
  return {};
}

statement_entry::objection objection_to_read(const statement_class& says, std::string_view text) {
  auto found = objection_to(says, text);
  if (found.why.empty() && says.kind == statement_kind::write && !begins_no_command(text)) {
    return {errc::not_allowed, "the statement could write; use write() for it"};
  }
  return found;
}

}  // namespace

statement_entry::statement_entry(std::uint64_t number, std::string sql, slow::statement_ref ref)
    : id(number),
      text(std::move(sql)),
      key(text),
      tracked(ref),
      says(detail::classify(text)),
      against_read(objection_to_read(says, text)),
      against_write(objection_to(says, text)) {}

statement_entry::~statement_entry() {
  for (auto* map = maps_.load(); map != nullptr;) delete std::exchange(map, map->next);
}

const std::vector<std::size_t>& statement_entry::columns_for(
    const description& told, const scalekit::detail::row_shape& shape) {
  auto* first = maps_.load(std::memory_order_acquire);
  for (auto* map = first; map != nullptr; map = map->next) {
    if (map->told == &told && map->shape == &shape) return map->columns;
  }
  std::vector<std::string_view> names;
  for (const auto& column : told.columns) names.emplace_back(column.name);
  auto* made = new column_map{&told, &shape, scalekit::detail::match_columns(shape, names), first};
  // One that another thread has added meanwhile may be the same: twice does no harm.
  while (!maps_.compare_exchange_weak(made->next, made, std::memory_order_acq_rel)) {
  }
  return made->columns;
}

const description* statement_entry::note(description_ptr told) {
  std::lock_guard lock(mutex_);
  for (const auto& known : told_) {
    if (*known != *told) continue;
    described_.store(known.get(), std::memory_order_release);
    return known.get();
  }
  told_.push_back(std::move(told));
  described_.store(told_.back().get(), std::memory_order_release);
  return told_.back().get();
}

statement_book::statement_book(std::size_t capacity, std::shared_ptr<slow::tracker> tracker)
    : shelf_capacity_(capacity / shelf_count + 1), tracker_(std::move(tracker)) {}

statement_entry_ptr statement_book::find(std::string_view text) {
  const detail::hashed_text key(text);
  auto& on = shelves_[(key.hash >> 32) % shelf_count];
  std::lock_guard lock(on.mutex);
  if (auto known = on.by_text.find(key); known != on.by_text.end()) [[likely]] {
    if (known->second != on.order.begin()) {
      on.order.splice(on.order.begin(), on.order, known->second);
    }
    return *known->second;
  }
  const auto tracked =
      tracker_ ? tracker_->statement(text, slow::dialect::postgres) : slow::statement_ref{};
  auto entry = std::make_shared<statement_entry>(next_id_.fetch_add(1, std::memory_order_relaxed),
                                                 std::string(text), tracked);
  on.order.push_front(entry);
  on.by_text.emplace(entry->key, on.order.begin());
  if (on.order.size() > shelf_capacity_) {
    on.by_text.erase(on.order.back()->key);
    on.order.pop_back();
  }
  return entry;
}

}  // namespace scalekit::db::postgres
