// Kernel operators on point sets of any dimension: one reduction per output over all points of the other side, one exponential
// a pair. They serve clouds and costs that do not separate, and as a reference of the separable operator.
//
//   dense   computes the costs on the fly         O(N + M) memory
//   stored  keeps the owned rows of C and of C'   2 N M / ranks values; half of it where both sides are one view of
//                                                 points with the same rows, since costs are symmetric
#pragma once

#include "hpot/kernel/operator.hpp"
#include "hpot/measure/grid.hpp"

namespace hpot {

/// (points, dimension), coordinates in the support's unit.
using Points = Kokkos::View<Real**, Kokkos::LayoutRight, MemorySpace>;

/// All grid points in the order of the data.
Points grid_points(const Grid& grid);

/// Local operators: h holds ALL points of the other side, s the given rows.
std::unique_ptr<KernelOperator> make_dense_operator(const Cost& cost, const Points& source, const Points& target,
                                                    Range source_rows, Range target_rows);
std::unique_ptr<KernelOperator> make_stored_operator(const Cost& cost, const Points& source, const Points& target,
                                                     Range source_rows, Range target_rows);

}  // namespace hpot
