// The values of plan_search.hpp's boxes, from level 0 upwards. Local.
// Ledger: every box is visited once from above; slopes of clouds also visit every point once on each of six levels.
#pragma once

#include "plan_places.hpp"

namespace hpot {

/// The lower and upper ends of the boxes of a cloud, along its first three axes.
void fill_ends(const BoxLevels& boxes, const Points& points, const BoxAxes& ends);

/// z_J = -(gradient of g)/2. Any value gives a bound: it is kept within a few widths of the points.
void fill_tilt(const GridCells& cells, const BoxValues& g, const BoxAxes& tilt);
/// The same by least squares over the points of small boxes; of larger ones by the mean of z_K + c_K over their halves K.
void fill_tilt(const CloudCells& cells, const BoxValues& g, const BoxAxes& tilt);

/// The largest of each box's children: V_J where the bound is that of the nearest point.
void fill_maxima(const BoxLevels& boxes, const BoxValues& values);

/// V_J for |x-y|^2. With o from the centre of J to that of its child K, e_j = o + e'_j:
///   V_j - |e_j|^2/eps + 2 z_J.e_j/eps <= V_K + (2 z_J.o - |o|^2 + 2 sum_d |z_J - z_K - o|_d R_K,d)/eps
/// and a part in 10^13 of all terms for rounding.
void fill_tilted(const GridCells& cells, const BoxAxes& tilt, Real epsilon, const BoxValues& values);
void fill_tilted(const CloudCells& cells, const BoxAxes& tilt, Real epsilon, const BoxValues& values);

}  // namespace hpot
