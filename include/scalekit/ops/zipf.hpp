#pragma once

#include <cmath>
#include <cstdint>
#include <random>
#include <stdexcept>
#include <string>

namespace scalekit::ops {

/// Draws ranks 0 to n-1 so that rank k comes with probability proportional to 1 / (k+1)^exponent:
/// how often shops' products, pages' names and caches' keys are asked for.
///
/// Exact, in constant time and space, by rejection-inversion (W. Hoermann and G. Derflinger,
/// "Rejection-inversion to generate variates from monotone discrete distributions", 1996). Needs
/// about 1.1 random numbers a draw.
///
/// Rank 0 is the most popular; scatter the ranks if neighbours must not be popular together.
///
/// Thread safety: const members may be called from any thread, each with a generator of its own.
class zipf {
 public:
  /// `n`: 1 to 2^52 ranks. `exponent`: 0 (uniform) to 10; 0.99 is YCSB's choice and about what web
  /// caches see. Throws std::invalid_argument for values out of range.
  zipf(std::uint64_t n, double exponent) : n_(n), exponent_(exponent) {
    if (n < 1 || n > (std::uint64_t{1} << 52U)) {
      throw std::invalid_argument("zipf.n is " + std::to_string(n) + "; legal: 1 to 2^52");
    }
    if (!(exponent >= 0 && exponent <= 10)) {
      throw std::invalid_argument("zipf.exponent is " + std::to_string(exponent) +
                                  "; legal: 0 to 10");
    }
    low_ = integral(1.5) - 1;
    high_ = integral(static_cast<double>(n) + 0.5);
    sure_ = 2 - inverse(integral(2.5) - weight(2));
  }

  /// The next rank. `random` gives 64 uniform bits a call.
  template <class Random>
  std::uint64_t operator()(Random& random) const {
    static_assert(Random::min() == 0 && Random::max() == ~std::uint64_t{0},
                  "zipf wants 64 random bits a call, as std::mt19937_64 gives");
    for (;;) {
      double uniform = static_cast<double>(random() >> 11U) * 0x1p-53;
      double u = high_ + uniform * (low_ - high_);
      double x = inverse(u);
      double k = std::floor(x + 0.5);
      if (k < 1) k = 1;
      if (k > static_cast<double>(n_)) k = static_cast<double>(n_);
      if (k - x <= sure_ || u >= integral(k + 0.5) - weight(k)) {
        return static_cast<std::uint64_t>(k) - 1;
      }
    }
  }

  std::uint64_t size() const noexcept { return n_; }

 private:
  double weight(double x) const { return std::exp(-exponent_ * std::log(x)); }

  /// (x^(1-s) - 1) / (1-s), continued by log x at s = 1: expm1 keeps the digits near there.
  double integral(double x) const {
    double log_x = std::log(x);
    double t = (1 - exponent_) * log_x;
    return std::abs(t) > 1e-8 ? std::expm1(t) / (1 - exponent_) : log_x * (1 + t / 2);
  }

  double inverse(double y) const {
    double t = y * (1 - exponent_);
    if (t < -1) t = -1;  // by rounding, at large exponents
    return std::abs(t) > 1e-8 ? std::exp(std::log1p(t) / (1 - exponent_))
                              : std::exp(y * (1 - t / 2));
  }

  std::uint64_t n_;
  double exponent_;
  double low_ = 0;
  double high_ = 0;
  double sure_ = 0;
};

}  // namespace scalekit::ops
