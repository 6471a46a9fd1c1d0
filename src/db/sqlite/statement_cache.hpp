#pragma once

#include "db/sqlite/handle.hpp"
#include "scalekit/core/clock.hpp"
#include "scalekit/core/row.hpp"
#include "scalekit/slow/tracker.hpp"

#include <array>
#include <cstddef>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace scalekit::db::sqlite {

/// A prepared statement and what is known about it.
struct prepared {
  std::string text;
  statement_ptr handle;
  /// sqlite3_stmt_readonly().
  bool read_only = true;
  /// For each argument, from 1: SQLite's index of the parameter it is bound to.
  std::vector<int> parameters;
  slow::statement_ref tracked;

  /// The type last read into, its columns in the result, and how often SQLite had prepared the
  /// statement anew when that was worked out.
  const scalekit::detail::row_shape* shape = nullptr;
  std::vector<std::size_t> columns;
  int prepared_anew = 0;

  /// Until when it shares no commit with others.
  time_point alone_until = time_point::min();
};

/// The prepared statements of one connection, by text, least recently used out first.
///
/// A literal is found by its address and length, then compared, which costs less than hashing it.
class statement_cache {
 public:
  explicit statement_cache(std::size_t capacity);

  /// Null when it is not there. Valid until the next insert(), erase() or clear().
  prepared* find(std::string_view text);

  prepared& insert(prepared statement);
  void erase(std::string_view text);
  void clear();
  std::size_t size() const noexcept { return by_text_.size(); }

 private:
  using list = std::list<prepared>;
  struct hint {
    const char* address = nullptr;
    list::iterator where;
  };

  hint& hint_of(std::string_view text) noexcept;
  void forget(list::iterator which);

  std::size_t capacity_;
  list order_;
  std::unordered_map<std::string_view, list::iterator> by_text_;
  std::array<hint, 128> by_address_;
};

}  // namespace scalekit::db::sqlite
