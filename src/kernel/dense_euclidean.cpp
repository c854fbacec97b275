// Distances, not squared: a file of its own, as it takes long to compile.
#include "dense_sides.hpp"

namespace hpot {

std::unique_ptr<KernelOperator> make_dense(const Euclidean& cost, const Sides& sides) {
  if (sides.dimension() == 1) return sides.make<Plain<Euclidean, 1>>(cost);
  if (sides.dimension() == 2) return sides.make<Plain<Euclidean, 2>>(cost);
  if (sides.dimension() == 3) return sides.make<Plain<Euclidean, 3>>(cost);
  return sides.make<Plain<Euclidean, 0>>(cost);
}

}  // namespace hpot
