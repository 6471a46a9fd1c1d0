#pragma once

/// The database client: see docs/db.md.

#include "scalekit/db/bulk.hpp"
#include "scalekit/db/causal_token.hpp"
#include "scalekit/db/client.hpp"
#include "scalekit/db/client_params.hpp"
#include "scalekit/db/client_settings.hpp"
#include "scalekit/db/consistency.hpp"
#include "scalekit/db/dialect.hpp"
#include "scalekit/db/labels.hpp"
#include "scalekit/db/listener.hpp"
#include "scalekit/db/loader.hpp"
#include "scalekit/db/options.hpp"
#include "scalekit/db/pool_params.hpp"
#include "scalekit/db/read_each.hpp"
#include "scalekit/db/session.hpp"
#include "scalekit/db/statement.hpp"
#include "scalekit/db/statistics.hpp"
#include "scalekit/db/topology_params.hpp"
#include "scalekit/db/transaction.hpp"
#include "scalekit/db/write_result.hpp"
