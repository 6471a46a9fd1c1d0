#include "result_cache_fixture.hpp"
