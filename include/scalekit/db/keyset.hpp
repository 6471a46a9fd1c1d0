#pragma once

#include "scalekit/core/codec.hpp"
#include "scalekit/core/export.hpp"
#include "scalekit/core/value_list.hpp"
#include "scalekit/db/statement.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace scalekit::db {

struct keyset_params {
  /// What cursors are signed with, known to all processes that serve the listing and to nobody
  /// else: 16 to 1024 bytes, random ones.
  std::string secret;

  /// What listing it is: 1 to 256 bytes. A cursor of one is refused by another whose name, columns
  /// or direction are different. Change it when the order of the rows changes.
  std::string context;

  /// The columns of the result that it is ordered by, as they are spelled there; the last one, or
  /// all together, must be unique, and none may be null. 1 to 16.
  std::vector<std::string> columns;

  /// All of them, from large to small. Default false.
  bool descending = false;

  /// While a secret is changed: the one before, whose cursors are still accepted. Default: none.
  std::string previous_secret = {};
};

/// Pages of a listing, each of which begins where the last one ended: page 1000 costs what page 1
/// costs, and rows that come or go meanwhile move none of the others.
///
///     const db::keyset by_name({.secret = secret, .context = "products of a category",
///                               .columns = {"name", "id"}});
///     auto rows = shop.read<product>(by_name.page(
///         sql("select id, name, price from product where category = $1", category), after, 20));
///     auto next = by_name.cursor(rows.back().name, rows.back().id);
///
/// Where a page ended is a cursor: the key of its last row, as an opaque text for a URL (base64url,
/// at most max_cursor_size characters), signed with HMAC-SHA-256, so that nobody can make one up or
/// change it. It is not encrypted: whoever has it can read the key. It does not end, and holds for
/// whoever has it: what a user may see is the query's business.
///
/// Thread safety: every member may be called from any thread.
class SCALEKIT_EXPORT keyset {
 public:
  /// The longest cursor that is made or read, in characters.
  static constexpr std::size_t max_cursor_size = 1024;

  /// Throws std::invalid_argument, naming the field, for what is out of range; the secrets are not
  /// told.
  explicit keyset(keyset_params params);

  /// `query` in the order of the listing: at most `limit` rows of those behind `cursor`, or the
  /// first ones when that is empty. The query has neither `order by` nor `limit`, and $1, $2, ...
  /// for its parameters; more are appended to them:
  ///
  ///     select * from (...) as page where ("name", "id") > ($2, $3) order by "name", "id" limit $4
  ///
  /// which an index on the columns serves as it would serve the query itself. Ask for one row more
  /// than are shown to learn whether there is another page.
  ///
  /// Throws errc::invalid_argument for a cursor that was not made by this listing with one of its
  /// secrets, or was changed: answer it with 400. The cursor is not repeated in the error.
  statement page(const statement& query, std::string_view cursor, std::size_t limit) const;

  /// The cursor behind the row whose key this is: a value for each column, of the types that can be
  /// bound (core/codec.hpp), read exactly (not a numeric into a double).
  ///
  /// Throws errc::invalid_argument for another number of values, or one that is null or an array;
  /// errc::too_large when it would be longer than max_cursor_size.
  template <class... Key>
  std::string cursor(const Key&... last) const {
    value_list key;
    (scalekit::detail::encode(key, last), ...);
    return sign(key);
  }

  /// The key that a cursor stands for, as page() binds it; throws what that throws.
  value_list key_of(std::string_view cursor) const;

 private:
  std::string sign(const value_list& key) const;
  std::string tag_of(std::string_view secret, std::string_view payload) const;

  keyset_params params_;
  /// What is signed before the key.
  std::string prefix_;
  /// " order by ..." and the columns as a row.
  std::string order_, row_;
};

}  // namespace scalekit::db
