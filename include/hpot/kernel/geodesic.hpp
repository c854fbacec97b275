// Geodesic costs on surfaces, C_ij = d(x_i, x_j)^2 with the exact distance of geodesics.hpp, and the operator of those within a
// radius.
//
//   all pairs      a matrix (cost_matrix.hpp)
//   near pairs     the rows owned here, in order of their columns; every other pair has an infinite cost: exp(-C/eps) = 0
//
// Ledger of a softmin over near pairs: one exponential and 12 bytes a pair. Both sides are one surface, whose rows serve
// either. Searches are divided over threads; every row's bits depend on its vertex alone.
#pragma once

#include "hpot/kernel/cost_matrix.hpp"
#include "hpot/measure/mesh.hpp"

namespace hpot {

struct NearCosts {
  Kokkos::View<Index*, MemorySpace> begin;           // of every owned row, and the end
  Kokkos::View<std::int32_t*, MemorySpace> columns;  // its own among them
  Kokkos::View<Real*, MemorySpace> costs;
  Real largest = 0.0;  // of all rows of all ranks
};

/// Collective.
std::shared_ptr<const NearCosts> make_near_costs(const Mesh& mesh, Real radius, const OwnedRows& rows);
/// Infinite only between components, which is an InputError. Collective.
std::shared_ptr<const CostMatrix> make_geodesic_matrix(const Mesh& mesh, bool short_storage, const OwnedRows& rows);

/// Local operator: h holds ALL vertices, s the owned rows. known_costs() is `near`.
std::unique_ptr<KernelOperator> make_near_operator(std::shared_ptr<const NearCosts> near);

/// Pairs within the radius for each vertex, about: of a plane with as much area a vertex.
Real near_pairs(const Mesh& mesh, Real radius);

}  // namespace hpot
