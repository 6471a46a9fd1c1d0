#pragma once

#include "scalekit/core/export.hpp"
#include "scalekit/ops/load_report.hpp"

#include <string>
#include <string_view>

namespace scalekit::ops {

/// A condition under which a load run counts as failed, for example in CI.
///
/// Written as METRIC > VALUE or METRIC < VALUE, with or without spaces:
///
///     p50, p95, p99, p99.9, max     latency of all requests; a number with us, ms or s
///     failed, limited               a number of requests, or a share of those due with %
///     goodput                       2xx responses a second
///
/// "p99>200ms", "failed > 0.1%", "goodput<450".
class SCALEKIT_EXPORT load_threshold {
 public:
  /// Throws std::invalid_argument, quoting the text, for anything else.
  static load_threshold parse(std::string_view text);

  /// True when the run failed by this condition.
  bool is_crossed(const load_report& report) const;

  /// The text it was parsed from.
  const std::string& text() const noexcept { return text_; }

 private:
  load_threshold() = default;

  std::string text_;
  double (*metric_)(const load_report&) = nullptr;
  bool above_ = true;
  double bound_ = 0;
};

}  // namespace scalekit::ops
