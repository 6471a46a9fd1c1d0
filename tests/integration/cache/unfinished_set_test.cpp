// Asynchronous changes that end before they are made, or while they are: what was there is gone.

#include "cache/file_directory.hpp"
#include "scalekit/cache.hpp"
#include "support.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/io_context.hpp>
#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <semaphore>
#include <thread>

namespace asio = boost::asio;
namespace cache = scalekit::cache;
using namespace cache_test;
using namespace std::chrono_literals;
using scalekit::errc;

namespace {

/// A store in both tiers with an old value under "a", whose work pool has one thread.
struct shop {
  ~shop() { release(); }

  /// Keeps the pool's thread busy until release().
  void occupy() {
    pool->post([this] {
      begun.release();
      let_go.acquire();
    });
    begun.acquire();
  }
  void release() {
    if (released) return;
    released = true;
    let_go.release();
    drain();
  }
  /// Returns when all that was posted has run.
  void drain() {
    while (pool->queued() > 0) std::this_thread::yield();
    std::binary_semaphore all_ran{0};
    pool->post([&] { all_ran.release(); });
    all_ran.acquire();
  }

  auto note() {
    return [this](std::exception_ptr e, scalekit::done) {
      if (e) code = static_cast<errc>(scalekit::to_error(e).code().value());
      found_then = store.get<int>("a").value;
    };
  }
  std::optional<int> in_file() {
    return cache::store::open(files_only(directory.path())).get<int>("a").value;
  }

  temporary_directory directory;
  asio::io_context io;
  std::shared_ptr<scalekit::work_pool> pool = std::make_shared<scalekit::work_pool>(
      scalekit::work_pool_params{.threads = 1, .max_queued = 1});
  cache::store store =
      cache::store::open({.file = {.directory = directory.path()},
                          .execution = scalekit::execution{io.get_executor(), pool}});
  std::binary_semaphore begun{0}, let_go{0};
  bool released = true;

  std::optional<errc> code;
  std::optional<int> found_then;
};

void keep_busy(shop& s) {
  s.store.set("a", 1, cache::ttl::product);
  s.released = false;
  s.occupy();
}

}  // namespace

TEST_CASE("a set that was shed leaves no older value") {
  shop s;
  keep_busy(s);
  s.pool->post([] {});

  s.store.async_set("a", 2, cache::ttl::product, s.note());
  s.io.run();

  CHECK(s.code == errc::shed);
  CHECK_FALSE(s.found_then);
  CHECK_FALSE(s.in_file());
}

TEST_CASE("an erase that was shed has erased all the same") {
  shop s;
  keep_busy(s);
  s.pool->post([] {});

  s.store.async_erase("a", s.note());
  s.io.run();

  CHECK(s.code == errc::shed);
  CHECK_FALSE(s.found_then);
  CHECK_FALSE(s.in_file());
}

TEST_CASE("a set that is cancelled before it began leaves no older value, and is not made later") {
  shop s;
  keep_busy(s);
  asio::cancellation_signal signal;

  s.store.async_set("a", 2, cache::ttl::product,
                    asio::bind_cancellation_slot(signal.slot(), s.note()));
  signal.emit(asio::cancellation_type::terminal);
  s.io.run();

  CHECK(s.code == errc::cancelled);
  CHECK_FALSE(s.found_then);
  s.store.set("a", 3, cache::ttl::product);
  s.release();
  CHECK(s.store.get<int>("a").value == 3);
  CHECK(s.in_file() == 3);
}

TEST_CASE("a set whose time passes before it began leaves no older value") {
  shop s;
  keep_busy(s);

  s.store.async_set("a", 2, cache::ttl::product, {.timeout = 1ms}, s.note());
  s.io.run();

  CHECK(s.code == errc::acquire_timeout);
  CHECK_FALSE(s.found_then);
  s.release();
  CHECK_FALSE(s.store.get<int>("a"));
  CHECK_FALSE(s.in_file());
}

TEST_CASE("a set that is cancelled while it is made leaves no older value, and not its own") {
  shop s;
  s.store.set("a", 1, cache::ttl::product);
  // As another process that changes a file of the same stripe would.
  cache::detail::file_directory other({.directory = s.directory.path()});
  auto lock = std::make_unique<cache::detail::directory_table::stripe_lock>(
      other.table(), cache::detail::file_name("a").stripe, scalekit::deadline::after(1s));
  asio::cancellation_signal signal;

  s.store.async_set("a", 2, cache::ttl::product, {.timeout = 1min},
                    asio::bind_cancellation_slot(signal.slot(), s.note()));
  while (s.store.stats().sets < 2) std::this_thread::yield();
  signal.emit(asio::cancellation_type::terminal);
  s.io.run();

  CHECK(s.code == errc::cancelled);
  CHECK_FALSE(s.found_then);
  lock.reset();
  s.drain();
  CHECK_FALSE(s.store.get<int>("a"));
  CHECK_FALSE(s.in_file());
}
