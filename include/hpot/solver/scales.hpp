// From the user's eps, rho and precision to the problem's.
#pragma once

#include "hpot/kernel/registry.hpp"
#include "hpot/problem/transport_problem.hpp"
#include "hpot/solver/epsilon_schedule.hpp"

namespace hpot {

/// Cost between the farthest corners of two supports' boxes, or between vertices of a surface that are far apart: where an eps
/// schedule starts.
Real diameter_cost(const Cost& cost, const Support& source, const Support& target);

/// The same, within a geodesic cost's radius; or the largest entry of a cost matrix, whose rows must have been read.
Real largest_cost_of(const KernelOptions& kernel, const Support& source, const Support& target);

/// The factor that epsilon.unit stands for, for a pair (`problem` on the finest grid). Collective.
Real pair_unit(const EpsilonOptions& epsilon, const Communicator& world, const KernelOptions& kernel,
               const Support& support, const TransportProblem& problem);

/// The same for barycenters: cost, spacing2 and max_cost (of the support); mean_cost is an InputError.
Real support_unit(const EpsilonOptions& epsilon, const KernelOptions& kernel, const Support& support);

/// InputError where a lower bound of the cost of balanced plans of mass 1 exceeds the largest that costs within a radius are.
void require_reachable(const KernelOptions& kernel, Real lower_cost);

/// kernel.precision = auto | mixed | double.
OptionKey precision_key();
/// cost.storage = auto: whether epsilon.unit = max_cost says that rounding a matrix of costs to 2^-24 of each changes no entry of a plan
/// by more than a tenth of `tolerance` of itself, since it changes exponents by 2^-24 C/eps.
bool floats_suffice(const Options& options, Real tolerance);
/// auto: mixed where the tolerance leaves room for float's exponential (1e-5 and above).
Precision sweep_precision(const Options& options, Real tolerance);

}  // namespace hpot
