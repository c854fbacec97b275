// Costs in any dimension; powers take longer than anything that a known one saves.
#include "dense_sides.hpp"

namespace hpot {

std::unique_ptr<KernelOperator> make_dense(const SquaredEuclidean& cost, const Sides& sides) {
  if (sides.dimension() == 1) return make_dense_product<1>(cost, sides);
  if (sides.dimension() == 2) return make_dense_product<2>(cost, sides);
  if (sides.dimension() == 3) return make_dense_product<3>(cost, sides);
  return sides.make<Plain<SquaredEuclidean, 0>>(cost);
}

std::unique_ptr<KernelOperator> make_dense(const PowerAxes& cost, const Sides& sides) {
  return sides.make<Plain<PowerAxes, 0>>(cost);
}

std::unique_ptr<KernelOperator> make_dense(const Power& cost, const Sides& sides) {
  return sides.make<Plain<Power, 0>>(cost);
}

std::unique_ptr<KernelOperator> make_dense(const Cosine& cost, const Sides& sides) {
  return sides.make<Plain<Cosine, 0>>(cost);
}

}  // namespace hpot
