#include "accelerations.hpp"

#include <algorithm>
#include <cmath>

namespace hpot {
namespace {

constexpr std::size_t period = 20;  // sweeps between two looks at the rate
constexpr std::size_t span = 10;    // sweeps that the rate is a mean of
constexpr Real largest = 1.98;
constexpr Real retreat = 0.9;

class Overrelaxation final : public Acceleration {
 public:
  void reset(const FixedPointMap&, Real) override {
    factor_ = 1.0;
    errors_.clear();
  }

  void advance(FixedPointMap& map, Real error) override {
    errors_.push_back(error);
    if (errors_.size() == period) {
      adapt();
      errors_.clear();
    }
    map.relax(factor_);
    map.accept();
  }

  void archive(Archive& archive) override {
    archive.number("factor", factor_);
    archive.numbers("errors", errors_);
  }

 private:
  /// Over-relaxed half-steps turn the plain rate theta^2 into lambda, (lambda + w - 1)^2 = lambda w^2 theta^2 [Young 1971],
  /// least at w = 2/(1 + sqrt(1 - theta^2)).
  void adapt() {
    const Real ratio = errors_[period - 1] / errors_[period - 1 - span];
    const Real lambda = std::pow(ratio, 1.0 / static_cast<Real>(span));
    if (!(lambda < 1.0)) {  // NaN, too
      factor_ = 1.0 + retreat * (factor_ - 1.0);
    } else if (lambda > factor_ - 1.0) {
      const Real sum = lambda + factor_ - 1.0;
      const Real theta2 = std::min(sum * sum / (lambda * factor_ * factor_), 1.0);
      factor_ = std::max(factor_, std::min(largest, 2.0 / (1.0 + std::sqrt(1.0 - theta2))));
    }
  }

  Real factor_ = 1.0;
  std::vector<Real> errors_;  // since it was adapted
};

}  // namespace

std::unique_ptr<Acceleration> make_overrelaxation() { return std::make_unique<Overrelaxation>(); }

}  // namespace hpot
