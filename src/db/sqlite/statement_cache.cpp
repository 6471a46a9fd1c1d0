#include "db/sqlite/statement_cache.hpp"

#include <cstdint>
#include <utility>

namespace scalekit::db::sqlite {

statement_cache::statement_cache(std::size_t capacity) : capacity_(capacity) {}

statement_cache::hint& statement_cache::hint_of(std::string_view text) noexcept {
  auto address = reinterpret_cast<std::uintptr_t>(text.data());
  // Literals lie at small multiples of a few bytes: fold the higher bits in.
  return by_address_[(address ^ (address >> 7)) % by_address_.size()];
}

prepared* statement_cache::find(std::string_view text) {
  auto& known = hint_of(text);
  // The address is only a hint: another text may have come to lie there since.
  if (known.address != text.data() || known.where->text != text) {
    auto found = by_text_.find(text);
    if (found == by_text_.end()) return nullptr;
    known = {text.data(), found->second};
  }
  if (known.where != order_.begin()) order_.splice(order_.begin(), order_, known.where);
  return &*known.where;
}

prepared& statement_cache::insert(prepared statement) {
  if (order_.size() >= capacity_) forget(std::prev(order_.end()));
  order_.push_front(std::move(statement));
  by_text_.emplace(order_.front().text, order_.begin());
  return order_.front();
}

void statement_cache::erase(std::string_view text) {
  auto found = by_text_.find(text);
  if (found != by_text_.end()) forget(found->second);
}

void statement_cache::forget(list::iterator which) {
  for (auto& known : by_address_) {
    if (known.address != nullptr && known.where == which) known.address = nullptr;
  }
  by_text_.erase(which->text);
  order_.erase(which);
}

void statement_cache::clear() {
  by_address_.fill({});
  by_text_.clear();
  order_.clear();
}

}  // namespace scalekit::db::sqlite
