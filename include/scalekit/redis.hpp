#pragma once

// A client of Redis: one connection that all callers share, scripts, transactions, publish and
// subscribe.

#include "scalekit/redis/client.hpp"
#include "scalekit/redis/client_params.hpp"
#include "scalekit/redis/client_settings.hpp"
#include "scalekit/redis/command.hpp"
#include "scalekit/redis/from_reply.hpp"
#include "scalekit/redis/options.hpp"
#include "scalekit/redis/reply.hpp"
#include "scalekit/redis/script.hpp"
#include "scalekit/redis/statistics.hpp"
#include "scalekit/redis/subscriber.hpp"
#include "scalekit/redis/tls_params.hpp"
#include "scalekit/redis/transaction.hpp"
