// How many sweeps are left (newton.hpp).
#pragma once

#include "hpot/core/archive.hpp"

#include <cmath>

namespace hpot {

/// From what the last ten sweeps have done.
class Forecast {
 public:
  explicit Forecast(Real tolerance = 0.0) : tolerance_(tolerance) {}

  void record(Real error) {
    if (sweeps_ % window == 0) {
      rate_ = sweeps_ == 0 ? 0.0 : std::log(error / error_before_) / static_cast<Real>(window);
      error_before_ = error;
    }
    ++sweeps_;
  }

  /// 0 before ten sweeps, infinity where they gained nothing.
  [[nodiscard]] Real sweeps_left(Real error) const {
    if (sweeps_ <= window) return 0.0;
    return rate_ < 0.0 ? std::log(tolerance_ / error) / rate_ : infinity;
  }

  void archive(Archive& archive) {
    archive.number("forecast/sweeps", sweeps_);
    archive.number("forecast/error_before", error_before_);
    archive.number("forecast/rate", rate_);
  }

 private:
  static constexpr Index window = 10;
  Real tolerance_;
  Index sweeps_ = 0;
  Real error_before_ = 0.0;
  Real rate_ = 0.0;  // of the error's logarithm
};

}  // namespace hpot
