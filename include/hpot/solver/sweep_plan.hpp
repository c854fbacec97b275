// What programs hold that differentiate barycenters of sweeps, and how many states of sweeps they may hold under
// resources.memory_limit.
#pragma once

#include "hpot/solver/sweep_settings.hpp"
#include "hpot/solver/work_plan.hpp"

namespace hpot {

/// Arrays of BarycenterSweeps of `owned` measures, with settings.places, and of its kernel. Local.
std::vector<PlannedArrays> sweep_arrays(const SweepSettings& settings, const Support& support, int row_ranks,
                                        Index owned);
/// Terms of all sweeps of a gradient, there and back. Local.
Real terms_of_gradient(const SweepSettings& settings, const Support& support, int row_ranks, Index owned);
/// What a transport loss holds while it is evaluated, beside the library; nothing for other losses. Local.
std::vector<PlannedArrays> loss_arrays(const SweepSettings& settings, const Support& support, int row_ranks);

struct AdmittedSweeps {
  WorkPlan plan;
  Index places = 0;
};

/// The plan with so many places, on a process grid.
using SweepPlanner = std::function<WorkPlan(Index places, ProcessGridShape shape)>;

/// As many places as fit, all sweeps' at most; the plan, printed on --dry-run. InputError where not even the fewest fit: it names
/// the largest arrays and the number of ranks that would do; `shape_on(ranks)` is the process grid of so many. Collective.
AdmittedSweeps admit_sweeps(const Communicator& world, const Options& options, SweepSettings settings,
                            const SweepPlanner& plan_with, const std::function<ProcessGridShape(int)>& shape_on);

}  // namespace hpot
