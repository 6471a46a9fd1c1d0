#include "db/classify/function_catalogue.hpp"
#include "db/postgres/backend.hpp"

#include <chrono>
#include <string>

// What execute() takes a statement for.

namespace scalekit::db::postgres {

using detail::access;
using detail::statement_kind;

bool backend::is_read_by_text(const statement& query) {
  return book_.find(query.text())->says.kind == statement_kind::read;
}

access backend::kind_of(const statement& query) {
  const auto entry = book_.find(query.text());
  if (entry->wrote.load(std::memory_order_relaxed)) return access::write;
  if (entry->says.kind != statement_kind::read) return access::write;
  const auto known = functions_->known();
  if (detail::route_of(entry->says, known.get()) == detail::execute_route::any) {
    return access::read;
  }
  const bool asked = function_book::could_help(entry->says, known.get()) && !is_closing() &&
                     functions_->claim(std::chrono::steady_clock::now());
  if (asked) {
    async_run(access::read, unsafe_sql(std::string(detail::function_catalogue_query)),
              {.consistency = consistency::any()}, function_book::fill(functions_));
  }
  return access::write;
}

bool backend::is_write_after_all(const statement& query, const error& e) {
  const auto& state = e.diag().backend_code;
  if (state == "25006") {
    book_.find(query.text())->wrote.store(true, std::memory_order_relaxed);
    return true;
  }
  // What a standby cannot do it says like this; what nobody can do the primary says again.
  return state == "0A000" || state == "55000";
}

}  // namespace scalekit::db::postgres
