#include "truncated_operator.hpp"

namespace hpot {

template <class C>
std::unique_ptr<KernelOperator> make_truncated_power(const C& cost, TiledClouds clouds, Real cut) {
  return std::make_unique<TruncatedOperator<C, 3>>(cost, std::move(clouds), cut);
}

template std::unique_ptr<KernelOperator> make_truncated_power(const Power& cost, TiledClouds clouds, Real cut);
template std::unique_ptr<KernelOperator> make_truncated_power(const PowerAxes& cost, TiledClouds clouds, Real cut);

}  // namespace hpot
