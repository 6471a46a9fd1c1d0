#include "db/lease_queue.hpp"

#include <doctest/doctest.h>

#include <deque>
#include <memory>
#include <random>
#include <set>
#include <vector>

using scalekit::db::detail::lease_queue;
using scalekit::db::detail::lease_waiter;
using state = lease_waiter::state;

TEST_CASE("slots are lent until none is left, the most recently returned first") {
  lease_queue q(3, 10);

  CHECK(q.try_take() == 0);
  CHECK(q.try_take() == 1);
  CHECK(q.try_take() == 2);
  CHECK(q.try_take() == std::nullopt);

  CHECK(q.give_back(1) == nullptr);
  CHECK(q.give_back(0) == nullptr);
  CHECK(q.try_take() == 0);
  CHECK(q.try_take() == 1);
  CHECK(q.busy() == 3);
}

TEST_CASE("a slot that comes back goes to the first who waits, not to a newcomer") {
  lease_queue q(1, 10);
  lease_waiter first, second;
  q.try_take();
  REQUIRE(q.wait(first));
  REQUIRE(q.wait(second));

  CHECK(q.give_back(0) == &first);
  CHECK(q.try_take() == std::nullopt);
  CHECK(first.now == state::granted);
  CHECK(second.now == state::waiting);

  CHECK(q.give_back(first.slot) == &second);
  CHECK(q.give_back(second.slot) == nullptr);
  CHECK(q.busy() == 0);
}

TEST_CASE("one more than may wait is shed") {
  lease_queue q(1, 1);
  lease_waiter first, second;
  q.try_take();

  CHECK(q.wait(first));
  CHECK_FALSE(q.wait(second));
  CHECK(q.statistics().shed == 1);
  CHECK(q.statistics().waiting == 1);
}

TEST_CASE("with max_waiting 0 nobody waits") {
  lease_queue q(1, 0);
  lease_waiter w;
  q.try_take();

  CHECK_FALSE(q.wait(w));
}

TEST_CASE("who left the queue is skipped, and leaving after the grant is too late") {
  lease_queue q(1, 10);
  lease_waiter first, second;
  q.try_take();
  q.wait(first);
  q.wait(second);

  CHECK(q.abandon(first, lease_queue::leave::timeout));
  CHECK(q.give_back(0) == &second);
  CHECK_FALSE(q.abandon(second, lease_queue::leave::cancelled));
  CHECK_FALSE(q.abandon(first, lease_queue::leave::timeout));

  CHECK(q.statistics().acquire_timeouts == 1);
  CHECK(q.statistics().cancelled_waits == 0);
}

TEST_CASE("closing turns away those who wait, in their order, and everybody after them") {
  lease_queue q(1, 10);
  lease_waiter first, second;
  q.try_take();
  q.wait(first);
  q.wait(second);

  CHECK(q.close() == std::vector<lease_waiter*>{&first, &second});
  CHECK(first.now == state::closed);
  CHECK(q.give_back(0) == nullptr);
  CHECK(q.try_take() == std::nullopt);
  CHECK(q.busy() == 0);
}

TEST_CASE("who holds a slot adopts those behind it, up to the first who wants a slot itself") {
  lease_queue q(1, 10);
  lease_waiter a, b, c;
  a.adoptable = b.adoptable = true;
  lease_queue::party party;
  q.try_take();
  q.wait(a);
  q.wait(c);
  q.wait(b);

  REQUIRE(q.first_adoptable() == &a);
  q.adopt(party);
  CHECK(q.first_adoptable() == nullptr);
  CHECK(q.waiting() == 2);
  CHECK_FALSE(q.abandon(a, lease_queue::leave::cancelled));

  party.erase(*party.front());
  q.serve(a);
  CHECK(a.now == state::served);
  CHECK(q.give_back(0) == &c);
  CHECK(q.statistics().acquired == 3);
  CHECK(q.statistics().waited == 2);
}

TEST_CASE("who is put back is first again, in the old order, may leave, and is not adopted twice") {
  lease_queue q(1, 2);
  lease_waiter a, b, behind;
  a.adoptable = b.adoptable = behind.adoptable = true;
  lease_queue::party party;
  q.try_take();
  q.wait(a);
  q.wait(b);
  q.adopt(party);
  q.adopt(party);
  q.wait(behind);

  q.put_back_last(party);
  q.put_back_last(party);

  CHECK(party.empty());
  CHECK(q.waiting() == 3);
  CHECK(q.first_adoptable() == nullptr);
  CHECK(q.give_back(0) == &a);
  CHECK(q.abandon(b, lease_queue::leave::timeout));
  CHECK(q.first_adoptable() == &behind);
}

TEST_CASE("who is put back after the close is closed") {
  lease_queue q(1, 10);
  lease_waiter a;
  a.adoptable = true;
  lease_queue::party party;
  q.try_take();
  q.wait(a);
  q.adopt(party);
  CHECK(q.close().empty());

  q.put_back_last(party);

  CHECK(a.now == state::closed);
  CHECK(q.waiting() == 0);
}

TEST_CASE("after the close each slot is taken out once: a free one at once, a lent one never") {
  lease_queue q(3, 10);
  q.try_take();
  q.close();

  CHECK(q.take_free() == std::vector<std::size_t>{2, 1});
  q.give_back(0);

  CHECK(q.take_free().empty());
  CHECK(q.busy() == 0);
}

TEST_CASE(
    "random histories: no slot is lent twice or lost, and waiting is first come first served") {
  for (unsigned seed = 0; seed < 200; ++seed) {
    std::mt19937 random(seed);
    const std::size_t slots = 1 + random() % 4;
    lease_queue q(slots, 5);
    std::set<std::size_t> lent;
    std::deque<std::unique_ptr<lease_waiter>> queue;

    for (int step = 0; step < 300; ++step) {
      switch (random() % 3) {
        case 0:
          if (auto slot = q.try_take()) {
            CHECK(queue.empty());
            CHECK(lent.insert(*slot).second);
          } else {
            auto w = std::make_unique<lease_waiter>();
            CHECK(q.wait(*w) == (queue.size() < 5));
            if (w->now == state::waiting) queue.push_back(std::move(w));
          }
          break;
        case 1:
          if (!lent.empty()) {
            auto slot = *lent.begin();
            auto* next = q.give_back(slot);
            CHECK((next == nullptr) == queue.empty());
            if (next == nullptr) {
              lent.erase(slot);
            } else {
              CHECK(next == queue.front().get());
              CHECK(next->slot == slot);
              queue.pop_front();
            }
          }
          break;
        default:
          if (!queue.empty()) {
            auto which = queue.begin() + static_cast<std::ptrdiff_t>(random() % queue.size());
            CHECK(q.abandon(**which, lease_queue::leave::timeout));
            queue.erase(which);
          }
      }
      CHECK(q.busy() == lent.size());
      CHECK(q.waiting() == queue.size());
    }
    q.close();
  }
}
