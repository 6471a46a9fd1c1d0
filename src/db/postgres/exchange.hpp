#pragma once

#include "db/postgres/statement_book.hpp"
#include "db/postgres/wire_parameters.hpp"
#include "scalekit/core/clock.hpp"
#include "scalekit/core/value_list.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace scalekit::db::postgres {

/// Takes rows one by one, while the rest is still under way.
class row_taker {
 public:
  virtual ~row_taker() = default;
  /// `row` is a result of one row. False: no more for now (link::is_held()). What it throws comes
  /// out of link::read().
  virtual bool take(const PGresult* row) = 0;
};

/// One statement on its way to a server and back.
///
/// Shared by who waits for it and by the link it went through, which must read its answer even when
/// nobody waits any more. One of them at a time may touch it: it is handed over with submit() and
/// comes back when it has ended.
struct exchange {
  enum class ending {
    none,
    /// `result` is what the statement returned.
    done,
    /// `result` is the server's error.
    failed,
    /// Not run: something before it in the same group failed.
    skipped,
    /// Its preparation is done; it has not run yet.
    prepared,
    /// The connection broke; `lost_because` says how. `sent` says whether it may have run.
    lost,
  };

  /// The statement; null for one of our own, which is run as `text` stands, without parameters.
  statement_entry_ptr entry;
  const char* text = nullptr;

  encoded_parameters parameters;
  /// What the parameters were encoded for; they are encoded anew where the server says otherwise.
  const description* encoded_for = nullptr;
  /// Null once nobody waits: then it can not be encoded anew either.
  const value_list* values = nullptr;

  /// Gets the rows, instead of `result`; null: all together. Where it is set nothing else may be
  /// under way on the link; reset to null, what still comes is dropped.
  row_taker* taker = nullptr;

  ending end = ending::none;
  bool sent = false;
  /// One of our own that comes with every call: it is prepared where connections keep what is.
  bool often = false;
  /// Which preparation of the statement it was sent as.
  std::uint64_t prepared_as = 0;
  result_ptr result;
  /// The description that `result` is to be read by.
  const description* read_by = nullptr;
  std::string lost_because;

  /// Makes it fit for another run.
  void restart() noexcept {
    end = ending::none;
    sent = false;
    result.reset();
    read_by = nullptr;
    lost_because.clear();
  }
};

using exchange_ptr = std::shared_ptr<exchange>;

}  // namespace scalekit::db::postgres
