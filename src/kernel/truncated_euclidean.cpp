#include "truncated_operator.hpp"

namespace hpot {

std::unique_ptr<KernelOperator> make_truncated_euclidean(TiledClouds clouds, Real cut) {
  return std::make_unique<TruncatedOperator<Euclidean, 3>>(Euclidean{}, std::move(clouds), cut);
}

}  // namespace hpot
