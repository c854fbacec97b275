// The mixture of measures that is closest to a target in the Euclidean norm of densities relative to q, 1/N on grids:
//   min over the simplex of sum_i (sum_k lambda_k b_ki - t_i)^2/(N q_i) = lambda' B lambda - 2 c' lambda + <t, t>,  B_kl = <b_k, b_l>,
// c_k = <b_k, t>, <b, t> = sum b t/(N q), by simplex_descent.hpp.
#pragma once

#include "hpot/problem/barycenter_problem.hpp"

namespace hpot {

struct EuclideanProjection {
  std::vector<Real> lambda;  // of all measures
  Field map;                 // one row, the owned points
};

/// `measures`: (those owned here, owned rows), `target`: one row. One reduction of a map for every measure, and two. Collective.
EuclideanProjection project_euclidean(const OwnedRows& rows, const Reference& q, const Communicator& along_batches,
                                      const Field& measures, const Field& target);

}  // namespace hpot
