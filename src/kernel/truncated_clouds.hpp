// Two clouds as rows and as columns of the truncated operator. Part of truncated.hpp.
#pragma once

#include "hpot/kernel/truncated.hpp"
#include "tile_walk.hpp"

namespace hpot {

/// One side's points in both their parts, about the middle of the box around both sides; axes are padded with zeros.
struct TiledSide {
  TiledRows rows;
  TiledColumns columns;
};

struct TiledClouds {
  TiledSide source, target;
  Real extent[truncated_most_dimensions] = {};  // of the box around both
  NodeValues h, values;                         // in the order of tiles, of one call
};

TiledClouds make_tiled_clouds(const Points& source, const Points& target, Range source_rows, Range target_rows,
                              int axes);

template <int dimension>
std::unique_ptr<KernelOperator> make_truncated_squared(TiledClouds clouds, Real cut);
std::unique_ptr<KernelOperator> make_truncated_euclidean(TiledClouds clouds, Real cut);
template <class C>
std::unique_ptr<KernelOperator> make_truncated_power(const C& cost, TiledClouds clouds, Real cut);

}  // namespace hpot
