#include "redis/way_back.hpp"

#include <doctest/doctest.h>

#include <memory>

using scalekit::redis::detail::way_back;

TEST_CASE("the way back is open until it is closed, and as long as there is an owner") {
  way_back way;
  auto owner = std::make_shared<int>(1);
  const std::weak_ptr<int> to = owner;
  int came = 0;
  const auto come = [&](std::shared_ptr<int> back) { came += *back; };

  way.take(to, come);
  CHECK(came == 1);
  way.close();
  way.take(to, come);
  CHECK(came == 1);

  way_back other;
  owner.reset();
  other.take(to, come);
  CHECK(came == 1);
}
