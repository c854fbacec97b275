// Kernel operators on point sets of any dimension: one reduction per output over all points of the other side, one exponential
// a pair. They serve clouds and costs that do not separate, and as a reference of the separable operator.
//
//   dense    computes the costs on the fly, O(N + M) memory and, in sweeps, some 16 values a point
//   stored   is the operator of the matrix that make_cost_matrix forms (cost_matrix.hpp): N M / ranks values
#pragma once

#include "hpot/kernel/cost_matrix.hpp"
#include "hpot/measure/grid.hpp"

#include <optional>

namespace hpot {

/// (points, dimension), coordinates in the support's unit.
using Points = Kokkos::View<Real**, Kokkos::LayoutRight, MemorySpace>;

/// All grid points in the order of the data.
Points grid_points(const Grid& grid);

/// Local: h holds ALL points of the other side, s the given rows. But of sweep(), which takes log_b and g of all of the
/// target's points and is collective over `along_rows`, whose source rows make up all; without one, these do.
std::unique_ptr<KernelOperator> make_dense_operator(const Cost& cost, const Points& source, const Points& target,
                                                    Range source_rows, Range target_rows,
                                                    std::optional<Communicator> along_rows = {});

/// The costs of the owned rows. Collective along rows.
std::shared_ptr<const CostMatrix> make_cost_matrix(const Cost& cost, const Points& source, const Points& target,
                                                   const OwnedRows& source_rows);

}  // namespace hpot
