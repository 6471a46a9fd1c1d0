#pragma once

// What callers were told of thousands of calls, against what the database has in the end.

#include "postgres_faults_fixture.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <future>
#include <initializer_list>
#include <mutex>
#include <set>
#include <string>
#include <vector>

namespace faults {

/// Items to read, whose `twice` is what it says, and ids that were written.
inline constexpr const char* item_schema =
    "create table item (id int primary key, twice int);"
    "insert into item select i, 2 * i from generate_series(0, 999) i;"
    "create table written (id int primary key);";

inline db::statement twice_of(int id) {
  return sql("select twice from item where id = $1", id);
}
/// On a connection of its own.
inline db::statement own_twice_of(int id) {
  return sql("select twice + (random() * 0)::int from item where id = $1", id);
}
/// 2000 times the same.
inline db::statement many_twice_of(int id) {
  return sql("select twice from item, generate_series(1, 2000) n where id = $1", id);
}
inline db::statement insert(int id) {
  return sql("insert into written values ($1) returning id", id);
}

/// What one call writes together, or not at all: `first` and those that follow it.
struct ids {
  int first = 0;
  int count = 0;
};

/// What `call()` throws; null: nothing.
template <class Call>
std::exception_ptr failure_of(Call call) {
  try {
    call();
    return nullptr;
  } catch (...) {
    return std::current_exception();
  }
}

/// Nobody runs a statement or is in a transaction.
inline bool is_still(const support::postgres::server& server, const std::string& database) {
  return server.wait_for("select count(*) from pg_stat_activity where datname = '" + database +
                             "' and state <> 'idle' and backend_type = 'client backend'"
                             " and pid <> pg_backend_pid()",
                         "0");
}

/// What callers were told of their calls. Any thread may note what it was told.
class ledger {
 public:
  /// Calls may end with `expected`, beside what a stop and a timeout end them with.
  explicit ledger(std::initializer_list<errc> expected = {}) : expected_(expected) {}

  /// The end of a call that writes `what`, which may be nothing.
  void note(const std::exception_ptr& failure, ids what) {
    if (!failure) return add(what, fate::done);
    const auto e = scalekit::to_error(failure);
    const bool in_doubt = scalekit::outcome_unknown(e) && what.count > 0;
    add(what, in_doubt ? fate::in_doubt : fate::undone);
    const bool is_expected =
        std::ranges::any_of(expected_, [&](errc code) { return e.code() == code; });
    if (e.code() == errc::cancelled || scalekit::is_timeout(e) || in_doubt || is_expected) {
      ++ended_early_;
    } else {
      wrong(e.what());
    }
  }
  /// Is undone whatever becomes of its call.
  void never(int id) {
    const std::lock_guard lock(mutex_);
    told_.push_back({{id, 1}, fate::undone});
  }
  void wrong(const std::string& what) {
    const std::lock_guard lock(mutex_);
    ++wrong_;
    MESSAGE(what);
  }

  std::atomic<int> calls{0};
  /// By a stop, a timeout or what else was expected.
  int ended_early() const noexcept { return ended_early_; }

  /// `made` reads the ids that are there.
  void check(db::client& client, const db::statement& made = sql("select id from written")) {
    CHECK(is_at_rest(client));
    const auto rows = client.read<std::int32_t>(made);
    const std::set<int> there(rows.begin(), rows.end());
    for (const auto& each : told_) check(each.what, each.became, there);
    CHECK(wrong_ == 0);
    CHECK(ended_early_ > 0);
    check_connections(client);
    MESSAGE(calls.load(), " calls, ", ended_early_.load(), " ended early");
  }

 private:
  enum class fate { done, undone, in_doubt };
  struct entry {
    ids what;
    fate became;
  };

  void add(ids what, fate became) {
    ++calls;
    const std::lock_guard lock(mutex_);
    told_.push_back({what, became});
  }

  void check(ids what, fate became, const std::set<int>& there) {
    int made = 0;
    for (int id = what.first; id < what.first + what.count; ++id) {
      made += there.contains(id) ? 1 : 0;
    }
    if (made != 0 && made != what.count) wrong("a part of what is atomic was made");
    if (made == 0 && what.count > 0 && became == fate::done) {
      wrong("a write that was reported as done is missing");
    }
    if (made > 0 && became == fate::undone) {
      wrong("a write that was reported as undone was made");
    }
  }

  /// Each of them answers what it is asked.
  static void check_connections(db::client& client) {
    std::vector<std::future<std::vector<std::int32_t>>> reads;
    for (int i = 0; i < 100; ++i) {
      reads.push_back(client.async_read<std::int32_t>(own_twice_of(i), boost::asio::use_future));
    }
    for (int i = 0; i < 100; ++i) {
      CHECK(reads[static_cast<std::size_t>(i)].get() == std::vector<std::int32_t>{2 * i});
      CHECK(client.read_one<std::int32_t>(twice_of(i)) == 2 * i);
    }
    CHECK(is_at_rest(client));
  }

  const std::vector<errc> expected_;
  std::mutex mutex_;
  std::vector<entry> told_;
  std::atomic<int> ended_early_{0};
  int wrong_ = 0;
};

}  // namespace faults
