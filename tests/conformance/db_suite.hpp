#pragma once

// What every driver of room db must do, whatever database is behind it. A driver's test program
// links db_suite.cpp, which is this, and defines db_suite::make_database().

#include "conformance/db_suite_async_bulk.hpp"
#include "conformance/db_suite_async_many.hpp"
#include "conformance/db_suite_batch.hpp"
#include "conformance/db_suite_bulk.hpp"
#include "conformance/db_suite_consistency.hpp"
#include "conformance/db_suite_fixture.hpp"
#include "conformance/db_suite_keyset.hpp"
#include "conformance/db_suite_loader.hpp"
#include "conformance/db_suite_statements.hpp"
#include "conformance/db_suite_stream.hpp"
#include "conformance/db_suite_time.hpp"
#include "conformance/db_suite_transactions.hpp"
#include "conformance/db_suite_values.hpp"
