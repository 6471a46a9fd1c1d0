#include "ops/flight_board.hpp"

#include <doctest/doctest.h>

#include <chrono>

using scalekit::time_point;
using scalekit::ops::detail::flight_board;

namespace {

time_point at(int ms) {
  return time_point{} + std::chrono::milliseconds(ms);
}

}  // namespace

TEST_CASE("a request takes the connection that was idle longest") {
  flight_board board(2, 1, 10);
  CHECK(board.next_for(1) == nullptr);
  CHECK(board.next_for(0) == nullptr);

  auto& first = board.open(at(1));
  auto& second = board.open(at(2));
  auto& third = board.open(at(3));

  CHECK(board.assign(first));
  CHECK(first.connection == 1);
  CHECK(board.assign(second));
  CHECK(second.connection == 0);
  CHECK_FALSE(board.assign(third));
}

TEST_CASE("without an idle connection requests wait in the order in which they were due") {
  flight_board board(1, 1, 10);
  auto& first = board.open(at(1));
  auto& second = board.open(at(2));
  CHECK(board.enqueue(first));
  CHECK(board.enqueue(second));

  CHECK(board.waiting() == 2);
  CHECK(board.next_for(0) == &first);
  CHECK(board.waiting() == 1);
  CHECK(board.in_flight() == 1);
  CHECK(board.next_for(0) == &second);
}

TEST_CASE("a client's request goes out on that client's connections only") {
  flight_board board(4, 2, 10);  // 0 and 2 belong to client 0; 1 and 3 to client 1
  for (std::size_t i : {0U, 2U}) CHECK(board.next_for(i) == nullptr);
  auto& other = board.open(at(1));
  other.client = 1;

  CHECK_FALSE(board.assign(other));
  CHECK(board.enqueue(other));

  CHECK(board.next_for(3) == &other);
  CHECK(other.connection == 3);
  CHECK(board.client_of(3) == 1);
}

TEST_CASE("a free connection prefers who has waited longest, its own client or any") {
  flight_board board(2, 2, 10);
  auto& any_early = board.open(at(1));
  auto& own = board.open(at(2));
  auto& any_late = board.open(at(3));
  own.client = 0;
  for (auto* f : {&any_early, &own, &any_late}) CHECK(board.enqueue(*f));

  CHECK(board.next_for(0) == &any_early);
  CHECK(board.next_for(0) == &own);
  CHECK(board.next_for(0) == &any_late);
}

TEST_CASE("the waiting room is bounded") {
  flight_board board(1, 1, 1);
  auto& first = board.open(at(1));
  auto& second = board.open(at(2));

  CHECK(board.enqueue(first));
  CHECK_FALSE(board.enqueue(second));
}

TEST_CASE("a connection that was withdrawn is not given out") {
  flight_board board(1, 1, 10);
  CHECK(board.next_for(0) == nullptr);

  board.withdraw(0);
  board.withdraw(0);

  CHECK_FALSE(board.assign(board.open(at(1))));
}

TEST_CASE("the oldest outstanding request is found whether it waits or flies") {
  flight_board board(1, 1, 10);
  CHECK(board.oldest() == nullptr);
  CHECK(board.next_for(0) == nullptr);
  auto& flying = board.open(at(1));
  auto& waiting = board.open(at(2));
  CHECK(board.assign(flying));
  CHECK(board.enqueue(waiting));

  CHECK(board.oldest() == &flying);
  board.close(flying);
  CHECK(board.oldest() == &waiting);
  board.close(waiting);

  CHECK(board.oldest() == nullptr);
  CHECK(board.waiting() == 0);
  CHECK(board.in_flight() == 0);
  CHECK(board.next_for(0) == nullptr);  // the closed one does not come back
}

TEST_CASE("flights are recycled without a trace of the last use") {
  flight_board board(1, 1, 10);
  auto& used = board.open(at(1));
  used.client = 0;
  used.bytes = "GET / HTTP/1.1";
  board.close(used);

  auto& again = board.open(at(2));

  CHECK(&again == &used);
  CHECK_FALSE(again.client.has_value());
  CHECK_FALSE(again.connection.has_value());
  CHECK(again.bytes.empty());
}
