#include "hpot/solver/adam.hpp"

#include <cmath>
#include <numeric>

namespace hpot {
namespace {

constexpr Real keep_mean = 0.9;
constexpr Real keep_square = 0.999;
constexpr Real least = 1e-8;

}  // namespace

Adam::Adam(std::vector<Index> blocks) : first_(blocks.size() + 1, 0), steps_(blocks.size(), 0.0) {
  std::partial_sum(blocks.begin(), blocks.end(), first_.begin() + 1);
  mean_.assign(static_cast<std::size_t>(first_.back()), 0.0);
  square_ = mean_;
}

void Adam::move(Index block, Real rate, const std::vector<Real>& gradient, std::vector<Real>& theta) {
  const Real t = ++steps_[block];
  const Real of_mean = 1.0 / (1.0 - std::pow(keep_mean, t));
  const Real of_square = 1.0 / (1.0 - std::pow(keep_square, t));
  Real sum = 0.0;
  for (Index i = first_[block]; i < first_[block + 1]; ++i) {
    mean_[i] = keep_mean * mean_[i] + (1.0 - keep_mean) * gradient[i];
    square_[i] = keep_square * square_[i] + (1.0 - keep_square) * gradient[i] * gradient[i];
    sum += square_[i];
  }
  if (!(sum > 0.0)) return;
  const Real small = least * std::sqrt(of_square * sum / static_cast<Real>(first_[block + 1] - first_[block]));
  for (Index i = first_[block]; i < first_[block + 1]; ++i)
    theta[i] -= rate * of_mean * mean_[i] / (std::sqrt(of_square * square_[i]) + small);
}

void Adam::archive(Archive& archive) {
  archive.numbers("adam_steps", steps_);
  archive.numbers("adam_mean", mean_);
  archive.numbers("adam_square", square_);
}

}  // namespace hpot
