// Squared Euclidean costs of 1 coordinate: a file of its own, as it takes long to compile.
#include "truncated_operator.hpp"

namespace hpot {
template std::unique_ptr<TruncatedKernel> make_truncated_squared<1>(TiledClouds clouds, Real cut);
}
