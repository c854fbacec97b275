// A barycenter of measures on one grid, from options to the result.
#pragma once

#include "hpot/solver/acceleration.hpp"
#include "hpot/solver/barycenter.hpp"
#include "hpot/solver/keeper.hpp"
#include "hpot/solver/scales.hpp"

namespace hpot {

struct BarycenterSettings {
  KernelOptions kernel;
  EpsilonOptions epsilon;
  ScheduleOptions schedule{.stage_tolerance = ScheduleOptions::loose};
  StoppingOptions stopping;
  AccelerationOptions acceleration;
  Precision precision = Precision::full;
  bool debiased = true;
  std::string penalty = "balanced";  // of every measure

  /// auto is momentum on volumes, where memory is short, else anderson.
  [[nodiscard]] AccelerationOptions acceleration_on(const Grid& grid) const {
    return acceleration.resolved(grid.dimension() == 3 ? "momentum" : "anderson");
  }

  /// InputError where ranges of masses exclude one another.
  void check_masses(const std::vector<Real>& masses) const;

  static std::vector<OptionKey> keys();
  static BarycenterSettings from(const Options& options);
};

/// barycenter.weights for `count` measures: rows of numbers >= 0, each scaled to sum 1; `uniform` is one row of equal ones.
std::vector<std::vector<Real>> barycenter_weights(const Options& options, Index count);

struct BarycenterSolution {
  Outcome outcome;
  Real target_epsilon = 0.0;
  OwnedRows rows;
  BarycenterResult result;  // owned rows, the same on all ranks along batches
  bool debiased = false;
};

/// `measures` (of mass 1 where balanced) and `lambda` are those owned along batches. Move the measures in: each is freed as soon as the
/// finest grid is entered. Collective.
BarycenterSolution solve_barycenter(const ProcessGrid& processes, const BarycenterSettings& settings, const Grid& grid,
                                    std::vector<std::vector<Real>> measures, const std::vector<Real>& lambda,
                                    const std::vector<Monitor*>& monitors, Keeper* keeper = nullptr);

/// All but `rows`.
void archive(Archive& archive, BarycenterSolution& solution);

}  // namespace hpot
