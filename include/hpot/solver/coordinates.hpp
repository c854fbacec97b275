// Wasserstein barycentric coordinates [Bonneel, Peyre, Cuturi 2016]: the weights lambda of the simplex for which the barycenter
// of given measures is closest to a target map, and the barycenter, the target's projection.
//
//   min over lambda of F(lambda) = loss(p^L(lambda)),    p^L of L sweeps (barycenter_sweeps.hpp), losses of map_loss.hpp
// by L-BFGS (simplex_descent.hpp) until gap <= tolerance F(1/K, ..., 1/K), from equal weights, on grids first on coarser copies of
// the measures, of which every finer one begins with the weights of the one before. Beside it the Euclidean projection
//   min over lambda of sum_i (sum_k lambda_k b_ki - t_i)^2
// by the same steps from the measures' inner products.
//
// A run that goes on walks the earlier one's way again (evaluation_record.hpp).
#pragma once

#include "hpot/solver/coordinate_objective.hpp"
#include "hpot/solver/evaluation_record.hpp"
#include "hpot/solver/sweep_settings.hpp"

namespace hpot {

struct CoordinateSettings : SweepSettings {
  StoppingOptions stopping;
  Index memory = 20;  // steps that L-BFGS remembers

  static std::vector<OptionKey> keys();
  /// `places` is the most.
  static CoordinateSettings from(const Options& options);
};

struct CoordinateData {
  Support support;                          // a grid, a surface, or the rows and the columns of a cost matrix
  std::vector<std::vector<Real>> measures;  // of mass 1, those owned here: all points, or the owned rows
  std::vector<Real> target;                 // of mass 1, likewise
};

/// A map of mass 1 near the target, and how near.
struct Projection {
  std::vector<Real> lambda;  // of all measures
  Field map;  // one row, the owned points; without points where a run was stopped before its first evaluation
  Real loss = infinity;                                     // the one that is minimised
  Real quadratic = infinity, l1 = infinity, kl = infinity;  // l1 without smoothing
};

/// One entry for the start and one for every step.
struct CoordinateHistory {
  std::vector<Real> loss, gap, lambda;  // lambda: K numbers each
};

struct CoordinateSolution {
  Outcome outcome;  // iterations: steps; error: gap relative to the loss of equal weights
  Real target_epsilon = 0.0;
  OwnedRows rows;
  Projection wasserstein, euclidean;
  CoordinateHistory history;     // of the given resolution
  Real equal_loss = infinity;    // of equal weights there
  Index evaluations = 0;         // of F and its gradient
  Index coarse_evaluations = 0;  // those of them on coarser copies
  Index sweeps = 0;              // that each of them makes: L, and those that memory makes it repeat
};

/// Measures are divided along batches, rows along rows. Move the data in. Collective.
CoordinateSolution solve_coordinates(const ProcessGrid& processes, const CoordinateSettings& settings,
                                     CoordinateData data, const FitProgress& progress, Keeper* keeper = nullptr);

/// All but the rows.
void archive(Archive& archive, CoordinateSolution& solution);

/// Why it did not converge and what to do about it; empty when it did. For people.
std::string advice(const CoordinateSolution& solution, const CoordinateSettings& settings);

}  // namespace hpot
