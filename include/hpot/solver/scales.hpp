// From the user's eps, rho and precision to the problem's.
#pragma once

#include "hpot/kernel/registry.hpp"
#include "hpot/problem/transport_problem.hpp"
#include "hpot/solver/epsilon_schedule.hpp"

namespace hpot {

/// Cost between the farthest corners of two grids: where an eps schedule starts.
Real diameter_cost(const Cost& cost, const Grid& source, const Grid& target);

/// The factor that epsilon.unit stands for, for a pair (`problem` on the finest grid). Collective.
Real pair_unit(const EpsilonOptions& epsilon, const Communicator& world, const KernelOptions& kernel, const Grid& grid,
               const TransportProblem& problem);

/// The same for barycenters: cost, spacing2 and max_cost (of the grid); mean_cost is an InputError.
Real grid_unit(const EpsilonOptions& epsilon, const KernelOptions& kernel, const Grid& grid);

/// kernel.precision = auto | mixed | double.
OptionKey precision_key();
/// auto: mixed where the tolerance leaves room for float's exponential (1e-5 and above).
Precision sweep_precision(const Options& options, Real tolerance);

}  // namespace hpot
