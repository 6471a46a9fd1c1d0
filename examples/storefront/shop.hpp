#pragma once

#include "data_dir.hpp"
#include "limits.hpp"
#include "options.hpp"
#include "page_cache.hpp"
#include "traffic.hpp"

#include <scalekit/core/execution.hpp>
#include <scalekit/core/log.hpp>
#include <scalekit/core/runtime.hpp>
#include <scalekit/db/client.hpp>
#include <scalekit/queue/queue.hpp>
#include <scalekit/queue/worker.hpp>
#include <scalekit/slow/tracker.hpp>

#include <memory>
#include <optional>

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
  /// For what blocks, other than the database client's own calls.
  ///
  /// Not the same threads as the client's, and that matters. What runs here may wait for a
  /// connection. Had it taken the last thread, an asynchronous call that was just given that
  /// connection could not run, and each would wait for the other until a deadline passed.
  const scalekit::execution work;
  const data_dir dirs;
  const scalekit::log_sink log;
  const std::shared_ptr<scalekit::slow::tracker> tracker;
  scalekit::db::client db;
  page_cache pages;
  limits limiter;
  /// Nothing in mode direct.
  std::optional<scalekit::queue::queue> jobs;
  std::optional<scalekit::queue::worker> worker;
  traffic answered;
};

}  // namespace storefront
