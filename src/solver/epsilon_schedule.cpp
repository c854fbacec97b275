#include "hpot/solver/epsilon_schedule.hpp"

#include <algorithm>
#include <cmath>

namespace hpot {

std::vector<OptionKey> ScheduleOptions::keys() {
  return {
      {"epsilon.schedule", "2", "eps is divided by this from about the largest cost to the target; none: no schedule",
       check::word_or({"none"}, check::real(1.01, 1e6))},
      {"epsilon.multiscale", "true",
       "solve large eps on coarser grids first; hpot-coordinates: find weights on coarser copies first", check::flag()},
      {"epsilon.stage_tolerance", "auto",
       "tolerance of every eps but the last; auto: 3e-3 between two measures, 1e-3 where clouds lie in heaps apart "
       "from "
       "one another, 0.05 for barycenters",
       check::word_or({"auto"}, check::real(1e-12, 2.0))},
  };
}

ScheduleOptions ScheduleOptions::from(const Options& options, Real automatic) {
  ScheduleOptions result;
  result.factor = options.text("epsilon.schedule") == "none" ? 1.0 : options.real("epsilon.schedule");
  result.multiscale = options.flag("epsilon.multiscale");
  result.automatic = options.text("epsilon.stage_tolerance") == "auto";
  result.stage_tolerance = result.automatic ? automatic : options.real("epsilon.stage_tolerance");
  return result;
}

std::vector<Stage> make_schedule(const ScheduleOptions& options, Real target_epsilon, Real max_cost,
                                 const std::vector<Real>& finer_below, Real tolerance) {
  const int coarsest = options.multiscale ? static_cast<int>(finer_below.size()) - 1 : 0;
  int steps = 0;
  if (options.factor > 1.0 && max_cost > target_epsilon) {
    steps = static_cast<int>(std::ceil(std::log(max_cost / target_epsilon) / std::log(options.factor)));
  }
  std::vector<Stage> stages;
  for (int step = steps; step >= 0; --step) {
    const Real epsilon = target_epsilon * std::pow(options.factor, step);
    int level = coarsest;
    while (level > 0 && finer_below[level] > epsilon) --level;
    stages.push_back({level, epsilon, std::max(options.stage_tolerance, tolerance)});
  }
  if (stages.back().level != 0) stages.push_back({0, target_epsilon, tolerance});
  stages.back().tolerance = tolerance;
  return stages;
}

EpsilonOptions EpsilonOptions::from(const Options& options) {
  return {options.real("epsilon.target"), options.text("epsilon.unit")};
}

std::vector<OptionKey> EpsilonOptions::keys() {
  return {
      {"epsilon.target", "1", "regularisation eps (blur squared, for squared costs), in epsilon.unit",
       check::positive()},
      {"epsilon.unit", "spacing2",
       "cost: the cost's own unit (mm^2 for volumes); spacing2: cost between nearest grid points (smallest spacing "
       "squared); "
       "max_cost: largest cost between points of positive weight; mean_cost: mean cost under the product of the "
       "measures. "
       "rho of penalties has the same unit",
       check::one_of({"cost", "spacing2", "max_cost", "mean_cost"})},
  };
}

}  // namespace hpot
