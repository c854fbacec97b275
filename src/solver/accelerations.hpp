// The kinds of acceleration; make_acceleration() knows their names.
#pragma once

#include "hpot/solver/acceleration.hpp"

#include <algorithm>

namespace hpot {

inline constexpr Real accepted_growth = 2.0;  // of the error in one sweep

/// How many plain sweeps follow a failure: 2^(n-1) - 1 after the n-th since the last success.
class BackOff {
 public:
  void reset() { doublings_ = sweeps_left_ = 0; }
  void succeed() { doublings_ = 0; }
  void fail() {
    constexpr Index most = 30;
    sweeps_left_ = (Index{1} << doublings_) - 1;
    doublings_ = std::min(doublings_ + 1, most);
  }
  /// True for each of these sweeps.
  [[nodiscard]] bool take() {
    if (sweeps_left_ == 0) return false;
    --sweeps_left_;
    return true;
  }
  void archive(Archive& archive) {
    archive.number("doublings", doublings_);
    archive.number("plain_sweeps_left", sweeps_left_);
  }

 private:
  Index doublings_ = 0;
  Index sweeps_left_ = 0;
};

/// Solves the symmetric positive definite system by Cholesky's method; pivots that vanish drop their unknown.
std::vector<Real> solve_normal_equations(std::vector<std::vector<Real>> a, std::vector<Real> b);

std::unique_ptr<Acceleration> make_anderson(Index memory);
std::unique_ptr<Acceleration> make_momentum();
std::unique_ptr<Acceleration> make_overrelaxation();

}  // namespace hpot
