#pragma once

// What is tested on every database is compiled once for each.

#ifdef QUEUE_TEST_ON_POSTGRES
#include "integration/queue/postgres_test_database.hpp"
using test_database = postgres_test_database;
#else
#include "integration/queue/sqlite_test_database.hpp"
using test_database = sqlite_test_database;
#endif
