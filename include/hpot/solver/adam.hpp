// Adam [Kingma, Ba 2015]: theta_i -= rate m'_i/(sqrt(v'_i) + 1e-8 r), with m, v the running means of the gradient and of its square,
// primed divided by 1 - 0.9^t, 1 - 0.999^t, t the steps that this variable has taken, and r the root of the mean of v' over its block:
// steps do not depend on the gradient's scale. Host, serial, local.
#pragma once

#include "hpot/core/archive.hpp"

namespace hpot {

class Adam {
 public:
  /// Blocks of variables, each of which moves as a whole.
  explicit Adam(std::vector<Index> blocks);

  void move(Index block, Real rate, const std::vector<Real>& gradient, std::vector<Real>& theta);
  void archive(Archive& archive);

 private:
  std::vector<Index> first_;  // of every block, and their end
  std::vector<Real> steps_;   // of every block
  std::vector<Real> mean_, square_;
};

}  // namespace hpot
