// Heat kernels on surfaces as kernel operators [Solomon et al. 2015], by implicit steps.
//
//   softmin(h)_i = -eps log sum_j K_ij exp(h_j),   K = 4 pi t (A^-1 M)^(n-1) A^-1,   A = M + (t/n) L,   t = eps/4
//
// L stiffness and M lumped mass of the intrinsic Delaunay triangulation (intrinsic_mesh.hpp). The heat kernel of the plane is
// exp(-|x-y|^2/(4t))/(4 pi t), and on surfaces -4t log of it tends to the squared geodesic distance [Varadhan 1967]: so does
// the cost C = -eps log K that this operator stands for and never forms. n implicit Euler steps are the heat of a random
// time, Gamma distributed, of mean t and variance t^2/n: second moments are exact, the cost grows like d^2 up to about
// d = sqrt(n eps) and like 2 d sqrt(n eps) far beyond.
//
// Range. A is an M-matrix: factor and inverse have no cancellation but on the factor's diagonal, so that the smallest sums
// are as exact as the largest. The largest h of a component is absorbed; with K >= 1e-250 (heat_floor) terms that underflow
// are a share of 1e-54 N of any sum at most. No heat flows between components: each absorbs its own.
//
// Ledger of a softmin of one measure: by the factor 2 n |factor| multiply-adds, n + 1 passes over the vertices, memory 16 |factor|
// bytes, on the host, whole measures divided over threads; by iterations (heat_kernel.hpp) n times some tens of passes over the
// edges, wherever kernels run. All ranks alike: rows are not divided.
#pragma once

#include "hpot/kernel/operator.hpp"
#include "hpot/measure/mesh.hpp"

namespace hpot {

inline constexpr Index default_heat_steps = 20;

/// How a heat step is solved: with a sparse factor on the host, or by iterations on the device.
enum class HeatSolver { factor, iterations };
/// The factor where kernels run on the host.
HeatSolver usual_heat_solver();

/// Local operator: h holds ALL vertices, s the given rows. Has no explicit costs.
std::unique_ptr<KernelOperator> make_heat_operator(const Mesh& mesh, Index steps, HeatSolver solver, Range source_rows,
                                                   Range target_rows);

/// The least eps at which heat of so many steps reaches from every vertex to every other of its component in doubles, and is
/// no finer than the mesh: the mean edge squared at least, below which heat goes by hops from vertex to vertex. To 5 %. Local.
Real heat_floor(const Mesh& mesh, Index steps);

/// Entries of the factor of a surface with so many vertices, about.
Real heat_factor_entries(Index vertices);

}  // namespace hpot
