// What plans of several programs count alike, in values. Private to solver.
#pragma once

#include "hpot/solver/work_plan.hpp"

namespace hpot {

PlannedArrays arrays(const std::string& name, Real values);

/// Values of one field, as numbers of arrays are multiplied with them.
struct Sizes {
  Real n = 0.0;        // all points
  Real local_n = 0.0;  // owned rows of the rank with most
  Real coarse = 0.0;   // points of all coarser levels
  Real next = 0.0;     // local points of the next coarser level
};

Sizes sizes_of(const Support& support, const ScheduleOptions& schedule, int parts);

/// Of both sides, halved: most arrays are there once for each.
Sizes mean_sizes(const TransportRun& run, const ScheduleOptions& schedule);

/// What the operator of a grid with itself, of a surface, or of two clouds of n points each, keeps: work arrays of `batch`
/// fields (separable.cpp, target()), points, matrix (matrix_operator.cpp: sums and copies for all columns of each field).
Real kernel_values(const KernelOptions& kernel, const Support& support, Real batch_values, Real n, Real local_n);

/// The owned rows of a cost matrix that was read; 0 for other costs.
Real matrix_values(const KernelOptions& kernel, Real n, Real local_n);

/// What it takes beside them to read them (read_cost_matrix).
Real values_of_reading(const KernelOptions& kernel, Real n, Real local_n);

/// Of a measure's values, those that a rank reads and keeps: its slab of a grid, of others all.
Real held_points(const Support& support, Real n, Real local_n);

/// Terms of one softmin of one measure on the owned share of the rows.
Real terms_of_softmin(const KernelOptions& kernel, const Support& support, Real n, Real local_n);

/// The work arrays of an average of `share` fields: log-sums, and one or two arrays between the passes (separable.cpp); moments (heat.cpp), of all points.
Real average_values(const KernelOptions& kernel, const Support& support, Real local_n, Real share = 1.0);

/// What a sweep of hpot-sinkhorn in one visit takes beside the operator.
Real visit_values(const KernelOptions& kernel, const Support& support, Real n, Real local_n);

/// Of a geodesic cost: rows of distances before they are costs, numbers and distances.
Real search_values(const KernelOptions& kernel, const Support& support, Real local_n);

/// A surface's geometry, on the host of every rank.
Real geometry_values(const Support& support);

/// Libraries, and the geometry.
PlannedArrays base_of(const Support& support);

/// Maps of a surface, whole, on their way to the files on rank 0: so many at once.
PlannedArrays surface_maps(const Support& support, Real maps);

enum class Reduction { softmin, average };

/// What an operator whose rows are divided holds of other ranks' values: lines on their way, or all points of `share` fields.
PlannedArrays between_ranks(const KernelOptions& kernel, const Support& support, int ranks, Reduction reduction,
                            Real share = 1.0);

/// InputError: the plan exceeds resources.memory_limit. It names the largest arrays and `what_fits`.
[[noreturn]] void reject_plan(const Options& options, const WorkPlan& plan, Real at_start,
                              const std::string& what_fits);

}  // namespace hpot
