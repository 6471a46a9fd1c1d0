#pragma once

#include "db/classify/statement_class.hpp"
#include "db/hashed_text.hpp"
#include "db/postgres/description.hpp"
#include "scalekit/core/error.hpp"
#include "scalekit/core/row.hpp"
#include "scalekit/slow/tracker.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace scalekit::db::postgres {

/// What a client knows of one statement text, for all its connections.
///
/// Thread safety: what is const or atomic may be read from any thread.
class statement_entry {
 public:
  statement_entry(std::uint64_t id, std::string text, slow::statement_ref tracked);
  ~statement_entry();
  statement_entry(const statement_entry&) = delete;
  statement_entry& operator=(const statement_entry&) = delete;

  /// Unique in its book, also among entries that were forgotten.
  const std::uint64_t id;
  const std::string text;
  /// The text as a key.
  const detail::hashed_text key;
  const slow::statement_ref tracked;
  const detail::statement_class says;

  /// Why it may not be run as a read, or as a write; empty where it may.
  struct objection {
    errc code = errc::not_allowed;
    std::string why;
  };
  const objection against_read, against_write;

  /// A server has refused it as a read: whatever its text says, it writes.
  std::atomic<bool> wrote{false};

  /// What a connection was told of it last; lives as long as the entry. Null: never prepared.
  const description* described() const noexcept {
    return described_.load(std::memory_order_acquire);
  }

  /// For every column of `shape`, where it is in a result that looks like `told`. Worked out once
  /// and kept. Throws errc::column_mismatch.
  const std::vector<std::size_t>& columns_for(const description& told,
                                              const scalekit::detail::row_shape& shape);

  /// Notes what a connection was told. Returns the one of all equal descriptions that is kept.
  const description* note(description_ptr told);

 private:
  struct column_map {
    const description* told;
    const scalekit::detail::row_shape* shape;
    std::vector<std::size_t> columns;
    column_map* next;
  };

  std::atomic<const description*> described_{nullptr};
  // A list that only grows, one for each type that the statement is read into.
  std::atomic<column_map*> maps_{nullptr};
  std::mutex mutex_;
  // All that were ever told, so that who reads an older one may go on; different ones are as many
  // as the schema had changes.
  std::vector<description_ptr> told_;
};

using statement_entry_ptr = std::shared_ptr<statement_entry>;

/// The statements that a client has run, by text: as many as `capacity`, those longest unused out
/// first.
///
/// Thread safety: every member may be called from any thread.
class statement_book {
 public:
  statement_book(std::size_t capacity, std::shared_ptr<slow::tracker> tracker);

  statement_entry_ptr find(std::string_view text);

 private:
  struct shelf {
    std::mutex mutex;
    std::list<statement_entry_ptr> order;
    std::unordered_map<detail::hashed_text, std::list<statement_entry_ptr>::iterator,
                       detail::known_hash>
        by_text;
  };

  static constexpr std::size_t shelf_count = 16;

  const std::size_t shelf_capacity_;
  const std::shared_ptr<slow::tracker> tracker_;
  std::atomic<std::uint64_t> next_id_{1};
  std::array<shelf, shelf_count> shelves_;
};

}  // namespace scalekit::db::postgres
