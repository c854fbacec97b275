#include "truncated_operator.hpp"

namespace hpot {

template <int dimension>
std::unique_ptr<KernelOperator> make_truncated_squared(TiledClouds clouds, Real cut) {
  return std::make_unique<TruncatedOperator<SquaredEuclidean, dimension>>(SquaredEuclidean{}, std::move(clouds), cut);
}

template std::unique_ptr<KernelOperator> make_truncated_squared<1>(TiledClouds clouds, Real cut);
template std::unique_ptr<KernelOperator> make_truncated_squared<2>(TiledClouds clouds, Real cut);
template std::unique_ptr<KernelOperator> make_truncated_squared<3>(TiledClouds clouds, Real cut);

}  // namespace hpot
