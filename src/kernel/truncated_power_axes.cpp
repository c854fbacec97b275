#include "truncated_operator.hpp"

namespace hpot {
template std::unique_ptr<TruncatedKernel> make_truncated_any(const PowerAxes& cost, TiledClouds clouds, Real cut);
}
