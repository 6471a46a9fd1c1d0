#pragma once

#include <scalekit/core/counter.hpp>
#include <scalekit/core/histogram.hpp>

#include <boost/json/object.hpp>

#include <chrono>

namespace storefront {

/// What the shop answered since its start. Goodput is `ok` over time: the rest is no use to
/// anybody.
class traffic {
 public:
  void count(int status, std::chrono::nanoseconds took) {
    by_outcome(status).add();
    if (status < 300) times_.record(took);
  }

  boost::json::object to_json() const;

 private:
  scalekit::counter& by_outcome(int status) {
    if (status == 429) return limited_;
    if (status == 503) return busy_;
    if (status >= 500) return failed_;
    return status >= 400 ? refused_ : ok_;
  }

  // On cache lines of their own: every loop counts at every request.
  alignas(64) scalekit::counter ok_;
  alignas(64) scalekit::counter refused_;
  alignas(64) scalekit::counter limited_;
  alignas(64) scalekit::counter busy_;
  alignas(64) scalekit::counter failed_;
  scalekit::histogram times_;
};

}  // namespace storefront
