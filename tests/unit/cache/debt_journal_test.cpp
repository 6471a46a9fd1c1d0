#include "cache/debt_journal.hpp"

#include "support/temp_directory.hpp"
#include "support/throws_errc.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

namespace detail = scalekit::cache::detail;
using scalekit::errc;
using keys = std::vector<std::string>;

namespace {

/// What a process owes, and its journal.
struct process {
  explicit process(const std::string& file) : journal(file, owed, {}) {}

  void owe(const std::string& key) {
    owed.add(key);
    journal.note();
  }
  void pay() {
    owed.paid(owed.all());
    journal.note();
  }

  detail::owed_erasures owed{3, 1 << 20};
  detail::debt_journal journal;
};

struct place {
  std::string file() const { return (directory.path() / "journal").string(); }
  /// As it is on the disk now: what a crash leaves.
  std::string after_crash() const {
    std::filesystem::copy_file(file(), directory.path() / "crashed");
    return (directory.path() / "crashed").string();
  }

  support::temp_directory directory;
};

}  // namespace

TEST_CASE("what was owed at an orderly end is owed again, each key") {
  place at;
  {
    process first(at.file());
    CHECK(first.owed.empty());
    first.owe("a");
    first.owe(std::string("b\0\n", 3));
    first.journal.close();
  }
  process second(at.file());
  CHECK(second.owed.keys() == keys{"a", std::string("b\0\n", 3)});
  CHECK_FALSE(second.owed.owes_everything());
}

TEST_CASE("after a crash in an outage everything is owed, and again until it is paid") {
  place at;
  process first(at.file());
  first.owe("a");
  const auto crashed = at.after_crash();
  for (int i = 0; i < 2; ++i) CHECK(process(crashed).owed.owes_everything());
  {
    process second(crashed);
    second.pay();
  }
  CHECK(process(crashed).owed.empty());
}

TEST_CASE("a crash after a debt was paid, or before there was one, owes nothing") {
  place at;
  process first(at.file());
  first.owe("a");
  first.pay();
  CHECK(process(at.after_crash()).owed.empty());
}

TEST_CASE("what is owed after the close, or too much for a list, is not forgotten") {
  place at;
  {
    process late(at.file());
    late.owe("a");
    late.journal.close();
    late.owe("b");
  }
  CHECK(process(at.file()).owed.owes_everything());
  {
    process many(at.file());
    many.pay();
    for (int i = 0; i < 4; ++i) many.owe(std::to_string(i));
    many.journal.close();
  }
  CHECK(process(at.file()).owed.owes_everything());
}

TEST_CASE("what is paid after the close is not owed, and looking changes no list") {
  place at;
  {
    process first(at.file());
    first.owe("a");
    first.journal.close();
    first.journal.note();
  }
  CHECK(process(at.file()).owed.keys() == keys{"a"});
  {
    process second(at.file());
    second.journal.close();
    second.pay();
  }
  CHECK(process(at.file()).owed.empty());
}

TEST_CASE("whoever owes and pays at the same time, the file is right in the end") {
  place at;
  process one(at.file());
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&one, t] {
      for (int i = 0; i < 100; ++i) t == 0 ? one.pay() : one.owe("key");
    });
  }
  for (auto& each : threads) each.join();
  const bool owes = !one.owed.empty();
  CHECK(process(at.after_crash()).owed.owes_everything() == owes);
}

TEST_CASE("a list that is damaged or cut off owes everything") {
  place at;
  {
    process first(at.file());
    first.owe("a key");
    first.journal.close();
  }
  std::ifstream in(at.file(), std::ios::binary);
  const std::string good{std::istreambuf_iterator<char>(in), {}};
  const auto left_of = [&](const std::string& bytes) {
    std::ofstream(at.file(), std::ios::binary | std::ios::trunc) << bytes;
    return process(at.file()).owed.owes_everything();
  };
  CHECK_FALSE(left_of(good));
  for (std::size_t i = 8; i < good.size(); ++i) {
    INFO("byte " << i);
    auto damaged = good;
    damaged[i] = static_cast<char>(~damaged[i]);
    CHECK(left_of(damaged));
    if (i > 8) CHECK(left_of(good.substr(0, i)));
  }
}

TEST_CASE("a journal belongs to one store, and a file of something else to none") {
  place at;
  process first(at.file());
  detail::owed_erasures owed(3, 100);
  const auto second = support::error_of([&] { detail::debt_journal(at.file(), owed, {}); });
  CHECK(second.code() == errc::unavailable);
  CHECK(support::contains(second.what(), at.file()));

  const auto foreign = (at.directory.path() / "letter").string();
  std::ofstream(foreign) << "Dear Sir or Madam";
  CHECK_ERRC(detail::debt_journal(foreign, owed, {}), errc::corrupt);
  const auto nowhere = (at.directory.path() / "no" / "where").string();
  CHECK_ERRC(detail::debt_journal(nowhere, owed, {}), errc::unavailable);
  CHECK(owed.empty());
}
