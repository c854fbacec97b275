// A barycenter of measures on one grid or surface, or of clouds with a free support, from options to the result.
#pragma once

#include "hpot/solver/acceleration.hpp"
#include "hpot/solver/barycenter.hpp"
#include "hpot/solver/free_support.hpp"
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
  bool entropy_bounded = false;      // not with debiased
  Real entropy_bound = infinity;     // see BarycenterData
  Real variation = 0.0;              // tau, in the unit of epsilon; see BarycenterData
  std::string penalty = "balanced";  // of every measure
  bool free_support = false;

  /// auto is momentum on volumes, where memory is short, else anderson.
  [[nodiscard]] AccelerationOptions acceleration_on(const Support& support) const {
    return acceleration.resolved(support.grid() != nullptr && support.dimension() == 3 ? "momentum" : "anderson");
  }
  /// D is a part of the state.
  [[nodiscard]] bool keeps_log_d() const { return debiased || entropy_bounded; }
  /// How a free support's points are transported to a measure.
  [[nodiscard]] TransportSettings of_pair() const;

  [[nodiscard]] bool all_balanced() const { return hpot::is_balanced(parse_penalty(penalty)); }
  /// InputError where ranges of masses exclude one another.
  void check_masses(const std::vector<Real>& masses) const;
  /// InputError where not even a map of one point is so sharp.
  void check_entropy_bound(const Support& support) const;
  /// InputError where a variation has no grid to be taken on.
  void check_variation(const Support& support) const;

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
  FreeSupportResult free;  // result.barycenter: its weights; the other errors are those of its values
};

/// On a grid or a surface. `measures` (of mass 1 where balanced) and `lambda` are those owned along batches. Move the measures
/// in: each is freed as soon as the finest grid is entered. Collective.
BarycenterSolution solve_barycenter(const ProcessGrid& processes, const BarycenterSettings& settings,
                                    const Support& support, std::vector<std::vector<Real>> measures,
                                    const std::vector<Real>& lambda, const std::vector<Monitor*>& monitors,
                                    Keeper* keeper = nullptr);

/// The same of clouds; `data.debiased` is set from the settings. acceleration.type serves the transports; positions move by
/// momentum, or by plain steps where it is none. `error` is the larger of marginal error and movement. Collective.
BarycenterSolution solve_free_support(const ProcessGrid& processes, const BarycenterSettings& settings,
                                      FreeSupportData data, const std::vector<Monitor*>& monitors,
                                      Keeper* keeper = nullptr);

/// All but `rows`.
void archive(Archive& archive, BarycenterSolution& solution);

}  // namespace hpot
