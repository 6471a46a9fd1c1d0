#include "db/postgres/statement_book.hpp"

#include <functional>
#include <utility>

namespace scalekit::db::postgres {

statement_entry::statement_entry(std::uint64_t number, std::string sql, slow::statement_ref ref)
    : id(number), text(std::move(sql)), tracked(ref) {}

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
  auto* made =
      new column_map{&told, &shape, scalekit::detail::match_columns(shape, names), first};
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
    : shelf_capacity_(capacity / shelves_.size() + 1), tracker_(std::move(tracker)) {}

statement_entry_ptr statement_book::find(std::string_view text) {
  auto& shelf = shelves_[(std::hash<std::string_view>{}(text) >> 32) % shelves_.size()];
  std::lock_guard lock(shelf.mutex);
  if (auto known = shelf.by_text.find(text); known != shelf.by_text.end()) [[likely]] {
    if (known->second != shelf.order.begin()) {
      shelf.order.splice(shelf.order.begin(), shelf.order, known->second);
    }
    return *known->second;
  }
  const auto tracked = tracker_ ? tracker_->statement(text, slow::dialect::postgres)
                                : slow::statement_ref{};
  auto entry = std::make_shared<statement_entry>(
      next_id_.fetch_add(1, std::memory_order_relaxed), std::string(text), tracked);
  shelf.order.push_front(entry);
  shelf.by_text.emplace(entry->text, shelf.order.begin());
  if (shelf.order.size() > shelf_capacity_) {
    shelf.by_text.erase(shelf.order.back()->text);
    shelf.order.pop_back();
  }
  return entry;
}

}  // namespace scalekit::db::postgres
