// Squared Euclidean costs of 2 coordinates: a file of its own, as it takes long to compile.
#include "dense_product.hpp"

namespace hpot {
template std::unique_ptr<KernelOperator> make_dense_product<2>(const SquaredEuclidean& cost, const Sides& sides);
}
