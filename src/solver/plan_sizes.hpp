// What plans of several programs count alike, in values. Private to solver.
#pragma once

#include "hpot/solver/work_plan.hpp"

namespace hpot {

/// What the operator of a grid with itself, or of two clouds of n points each, keeps: work arrays of `batch` fields
/// (separable.cpp, target()), points, matrix (matrix_operator.cpp: sums and copies for all columns).
Real kernel_values(const KernelOptions& kernel, const Support& support, Real batch_values, Real n, Real local_n);

/// Terms of one softmin of one measure on the owned share of the rows.
Real terms_of_softmin(const KernelOptions& kernel, const Support& support, Real n, Real local_n);

/// The work arrays of average (separable.cpp): log-sums, and one or two arrays between the passes.
Real average_values(const KernelOptions& kernel, const Support& support, Real local_n);

/// InputError: the plan exceeds resources.memory_limit. It names the largest arrays and `what_fits`.
[[noreturn]] void reject_plan(const Options& options, const WorkPlan& plan, Real at_start,
                              const std::string& what_fits);

}  // namespace hpot
