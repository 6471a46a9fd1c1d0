#include "result_cache_fixture.hpp"

#include <doctest/doctest.h>

using namespace result_cache_test;
TEST_CASE("x") {}
