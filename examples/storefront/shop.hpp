#pragma once

#include "data_dir.hpp"
#include "limits.hpp"
#include "options.hpp"
#include "page_cache.hpp"
#include "traffic.hpp"

#include <scalekit/cache/sessions.hpp>
#include <scalekit/core/execution.hpp>
#include <scalekit/core/log.hpp>
#include <scalekit/core/runtime.hpp>
#include <scalekit/db/client.hpp>
#include <scalekit/queue/queue.hpp>
#include <scalekit/queue/worker.hpp>
#include <scalekit/slow/tracker.hpp>

#include <memory>
#include <optional>
#include <string>

namespace storefront {

/// The five parts of the library, made once and shared by every request and every job.
///
/// Members are in the order in which they depend on each other, so that they are destroyed in
/// the right one: the worker stops before the queue, and the queue before the database.
struct shop {
  /// Opens everything, and imports the catalogue at the first start. Blocks. The loops must
  /// outlive the shop.
  shop(options chosen, scalekit::runtime& loops);

  // Everybody has references to it.
  shop(const shop&) = delete;
  shop& operator=(const shop&) = delete;

  const options settings;
  /// The loop that completes the client's calls, and the threads for all else that blocks. The
  /// client's own calls run on threads of its connections: what waits here for a connection cannot
  /// keep the one who has it from running.
  const scalekit::execution work;
  const data_dir dirs;
  /// Signs the cursors of all lists.
  const std::string cursor_secret;
  const scalekit::log_sink log;
  const std::shared_ptr<scalekit::slow::tracker> tracker;
  scalekit::db::client db;
  page_cache pages;
  /// Of who has logged in; what they keep is the number of the retailer.
  scalekit::cache::sessions sessions;
  limits limiter;
  /// Nothing in mode direct.
  std::optional<scalekit::queue::queue> jobs;
  std::optional<scalekit::queue::worker> worker;
  traffic answered;
};

}  // namespace storefront
