#pragma once

#include "scalekit/core/error.hpp"
#include "scalekit/db/options.hpp"
#include "scalekit/db/shard_key.hpp"

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace scalekit::db {

/// What becomes of a read of all shards when some fail.
enum class partial_failure {
  /// It fails, with the code of the first; the error names them. The others are cancelled.
  all_or_error,
  /// The rows of the others are returned, and who failed. It fails only when all do.
  partial,
};

/// What one read of all shards may ask for.
template <class Row>
struct scatter_options {
  /// The order of all rows together: whether the first comes before the second. It must be that of
  /// the statement's own `order by`, down to the collation of texts: rows of a shard that come in
  /// another order are errc::invalid_statement, never a wrong result. ascending() and descending()
  /// make one. Default: the rows of one shard after those of another.
  std::function<bool(const Row&, const Row&)> order_by = {};

  /// How many rows in all. It is bound after the statement's own parameters: end the statement with
  /// `limit $1`, or with the next number. Default: all, and nothing is bound. Range 1 to 2^31.
  std::optional<std::size_t> limit = {};

  /// By which key a row has its shard. While a move is under way rows lie on two shards, and only
  /// by it the one that counts is known: then a read without it is errc::not_allowed. Sums and
  /// counts have no key: read them when nothing moves, or a row a key.
  std::function<shard_key(const Row&)> key = {};

  /// How many shards are asked at the same time. Default 8. Range 1 to 1024.
  unsigned fan_out = 8;

  partial_failure on_failure = partial_failure::all_or_error;

  /// Of every statement, but `timeout` is for all of them together; default 5 s. A session is of
  /// one database and cannot be used here (errc::invalid_argument).
  call_options call = {};
};

struct shard_failure {
  std::string shard;
  error why;
};

template <class Row>
struct scatter_result {
  std::vector<Row> rows;
  /// Always empty with all_or_error.
  std::vector<shard_failure> failed = {};
};

/// An order by members, the first one first: `ascending(&product::price, &product::id)`.
template <class Row, class... Member>
std::function<bool(const Row&, const Row&)> ascending(Member Row::*... members) {
  return [=](const Row& a, const Row& b) {
    bool less = false;
    // Goes on only while both are equal.
    static_cast<void>(
        ((a.*members == b.*members || (less = a.*members < b.*members, false)) && ...));
    return less;
  };
}

template <class Row, class... Member>
std::function<bool(const Row&, const Row&)> descending(Member Row::*... members) {
  return [up = ascending<Row>(members...)](const Row& a, const Row& b) { return up(b, a); };
}

}  // namespace scalekit::db
