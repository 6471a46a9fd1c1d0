#pragma once

// The cache room: values kept in memory and in files, loaded once, and never newer in the cache
// than in the program's order of events. cache/json_codec.hpp is included separately.

#include "scalekit/cache/codec.hpp"
#include "scalekit/cache/lookup.hpp"
#include "scalekit/cache/options.hpp"
#include "scalekit/cache/owned_loader.hpp"
#include "scalekit/cache/pinned_bytes.hpp"
#include "scalekit/cache/policy.hpp"
#include "scalekit/cache/sessions.hpp"
#include "scalekit/cache/statistics.hpp"
#include "scalekit/cache/store.hpp"
#include "scalekit/cache/store_params.hpp"
#include "scalekit/cache/store_settings.hpp"
#include "scalekit/cache/warm_up.hpp"
#include "scalekit/cache/write_behind.hpp"
#include "scalekit/cache/write_through.hpp"
