#pragma once

/// The database client: see docs/db.md.

#include "scalekit/db/client.hpp"
#include "scalekit/db/client_params.hpp"
#include "scalekit/db/client_settings.hpp"
#include "scalekit/db/options.hpp"
#include "scalekit/db/pool_params.hpp"
#include "scalekit/db/statement.hpp"
#include "scalekit/db/statistics.hpp"
#include "scalekit/db/transaction.hpp"
#include "scalekit/db/write_result.hpp"
