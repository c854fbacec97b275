// The course of a solve: eps from large to its target, on grids from coarse to fine.
//
// eps is divided by `factor` from about the largest cost down to the target; each value is solved on the coarsest level
// whose neighbour cost is at most eps (a plan blurred by eps is resolved there; in clouds that lie in heaps finer ones sooner),
// the last one on the given grid. Stages
// before the last stop at a looser tolerance [Schmitzer 2019, Sect. 3]. Errors of low frequency, which sweeps at a small eps
// hardly move, are in reach of a few at a large one: what a stage leaves of them costs more later.
#pragma once

#include "hpot/core/options.hpp"
#include "hpot/core/types.hpp"

namespace hpot {

struct Stage {
  int level = 0;  // 0 is the given grid
  Real epsilon = 1.0;
  Real tolerance = 1e-4;
};

struct ScheduleOptions {
  Real factor = 2.0;  // 1: no schedule, the target from the start
  bool multiscale = true;
  Real stage_tolerance = 3e-3;            // of all stages but the last
  static constexpr Real loose = 5e-2;     // enough where averages over measures wash the rest out
  static constexpr Real in_heaps = 1e-3;  // of clouds: masses between heaps far apart hide in small residuals
  Index smallest_side = 16;               // longest side of the coarsest level
  bool automatic = false;                 // stage_tolerance is what suits the problem

  /// Coarser grids than one with this longest side are not needed.
  [[nodiscard]] Index coarsest_side() const { return multiscale ? smallest_side : std::numeric_limits<Index>::max(); }

  static std::vector<OptionKey> keys();
  /// `automatic` is what epsilon.stage_tolerance = auto stands for.
  static ScheduleOptions from(const Options& options, Real automatic);
};

/// `finer_below[l]`, at least the neighbour cost, belongs to level l, 0 the finest. `tolerance` is the last stage's.
std::vector<Stage> make_schedule(const ScheduleOptions& options, Real target_epsilon, Real max_cost,
                                 const std::vector<Real>& finer_below, Real tolerance);

/// epsilon.target in epsilon.unit: cost, spacing2, max_cost or mean_cost.
struct EpsilonOptions {
  Real target = 1.0;
  std::string unit = "spacing2";

  static std::vector<OptionKey> keys();
  static EpsilonOptions from(const Options& options);
};

}  // namespace hpot
