#include "hpot/solver/work_plan.hpp"

#include "hpot/kernel/lent_points.hpp"
#include "hpot/kernel/separable.hpp"
#include "hpot/measure/rows.hpp"
#include "hpot/problem/block_couplings.hpp"
#include "map_plan.hpp"
#include "plan_sizes.hpp"

#include <algorithm>
#include <cmath>

namespace hpot {
namespace {

/// Copies of a state that an acceleration holds at most, see acceleration.hpp.
Real copies_of_state(const AccelerationOptions& acceleration) {
  if (acceleration.type == "momentum") return 0.5;
  if (acceleration.type == "overrelaxation") return 1.0;
  return acceleration.type == "anderson" ? 2.0 * static_cast<Real>(acceleration.memory) + 3.0 : 0.0;
}

/// Coordinates of two clouds of n points each on the host, of all levels.
Real coordinates_of(const Support& support, Real n, Real coarse) {
  return support.cloud() == nullptr ? 0.0 : 2.0 * (n + coarse) * static_cast<Real>(support.dimension()) + 2.0 * n;
}

/// eps where its unit does not depend on the measures.
std::optional<Real> known_epsilon(const TransportSettings& settings, const Grid& grid) {
  const std::string& unit = settings.epsilon.unit;
  if (unit != "cost" && unit != "spacing2") return {};
  return settings.epsilon.target * support_unit(settings.epsilon, settings.kernel, grid);
}

/// The weights of both sides' averages, for each point, that Newton steps keep.
Real weights_of_averages(const TransportSettings& settings, const Grid& grid) {
  constexpr Real where_unknown = 3.5;  // on an axis
  const bool separable = settings.kernel.resolved_type(grid) == "separable";
  if (!settings.finish.keeps_weights || !separable || grid.dimension() > most_kept_dimension) return 0.0;
  const auto epsilon = known_epsilon(settings, grid);
  if (!epsilon) return 2.0 * where_unknown * static_cast<Real>(grid.dimension());
  return 2.0 * kept_values(settings.kernel.cost, grid, *epsilon);
}

/// What the blocks of Newton's method take (block_space.cpp, sums(); block_couplings.cpp; dual_preconditioner.cpp): parts of
/// blocks, the couplings, then a factor of their matrix, as measured.
Real block_values(const TransportSettings& settings, const Grid& grid) {
  constexpr Real per_block = 60.0;
  const Real epsilon = known_epsilon(settings, grid).value_or(0.0);  // then as many blocks as there can be
  const std::vector<Index> sides = block_sides(settings.kernel.cost, grid, epsilon);
  Real blocks = 1.0;
  Real counts = 1.0;  // of couplings, for each block
  Real parts = static_cast<Real>(grid.axes[0].n);
  for (std::size_t d = 0; d < sides.size(); ++d) {
    const Real along = std::ceil(static_cast<Real>(grid.axes[d].n) / static_cast<Real>(sides[d]));
    blocks *= along;
    counts *= static_cast<Real>(counts_along(static_cast<Index>(along)));
    if (d > 0) parts *= along;
  }
  const Real factor =
      grid.dimension() == 3 ? 40.0 * std::pow(blocks, 4.0 / 3.0) : 20.0 * blocks * std::log2(blocks + 1.0);
  return 2.0 * parts + per_block * blocks + std::max(counts * blocks, factor);
}

/// Beside them while measures are read: an image or a table, whole, and one level's sums over cells in planes, here and on the
/// way to the ranks that add them (pyramid.cpp).
PlannedArrays of_reading(const Support& support, int ranks, Real local_n) {
  const int axes = support.dimension();
  if (support.grid() == nullptr) return arrays("sums over cells", 0.0);
  const Real whole = ranks > 1 && axes < 3 ? static_cast<Real>(support.points()) : 0.0;
  return arrays("sums over cells", std::max(whole, (ranks > 1 ? 2.0 : 1.0) * std::exp2(1 - axes) * local_n));
}

}  // namespace

Real WorkPlan::bytes() const {
  Real sum = 0.0;
  for (const PlannedArrays& some : arrays) sum += some.bytes;
  return sum;
}

void WorkPlan::consider(const std::string& name, std::vector<PlannedArrays> others) {
  const WorkPlan other{name, std::move(others), terms_per_sweep};
  if (arrays.empty() || other.bytes() > bytes()) *this = other;
}

WorkPlan plan_transport(const TransportSettings& settings, const TransportRun& run) {
  const auto [n, local_n, coarse, next] = mean_sizes(run, settings.schedule);
  const Support& support = run.source;
  const int dimension = support.dimension();
  const auto from_ranks = [&](Reduction reduction) {
    return between_ranks(settings.kernel, support, run.ranks, reduction);
  };
  const bool made = run.costs_made && settings.kernel.is_geodesic();
  const Real kernel = made ? 0.0 : kernel_values(settings.kernel, support, local_n, n, local_n);
  const bool separable = settings.kernel.resolved_type(support) == "separable";
  // drivers/sinkhorn.cpp keeps raw data for the second part; for the divergence both weights while (a, b) is solved, then
  // those of b and the potentials
  const Real held = held_points(support, n, local_n);
  const Real raw = run.parts > 1 ? 2.0 * held : 0.0;
  // (a, a) holds more than (a, b) where it is solved like that
  const bool second = run.divergence && 2.0 * local_n > held && !is_solved_by_symmetry(settings.kernel);
  const Real kept = raw + (run.divergence ? (second ? 1.0 : 2.0) : 0.0) * held;
  const PlannedArrays whole = arrays("measures that later solves need", kept);
  const PlannedArrays solved = arrays("potentials of (a, b)", second ? 2.0 * local_n : 0.0);
  // owned_pair
  const PlannedArrays pair = arrays("weights that maps need", run.maps.any() ? 2.0 * local_n : 0.0);
  PlannedArrays base = library_buffers();
  base.bytes += arrays({}, coordinates_of(support, n, coarse) + geometry_values(support)).bytes;
  if (support.cloud() != nullptr || support.mesh() != nullptr) base.name += ", coordinates of the points";
  WorkPlan plan;
  plan.terms_per_sweep = 2.0 * terms_of_softmin(settings.kernel, support, n, local_n);
  // MultiscaleSinkhorn::enter, DividedSupport; then whole again
  const auto without_coarse = [&](Real points) {
    PlannedArrays less = base;
    less.bytes -= arrays({}, coordinates_of(support, n, coarse) - coordinates_of(support, points, 0.0)).bytes;
    return less;
  };
  const PlannedArrays sweeping = without_coarse(divides_points(settings, run) ? local_n : n);
  const PlannedArrays after = without_coarse(n);
  if (const Real searches = search_values(settings.kernel, support, local_n); searches > 0.0 && !made) {
    plan.consider("search for geodesics", {base, whole, arrays("measures, whole", 2.0 * n),
                                           arrays("distances", searches), arrays("kernel", kernel)});
  }
  // read_measures, make_measures; MultiscaleSinkhorn
  plan.consider("reading",
                {base, whole, pair, arrays("measures and their coarse copies", 2.0 * held * (1.0 + coarse / n)),
                 of_reading(support, run.ranks, local_n)});
  if (run.picture)  // picture_of_pair
    plan.consider("the picture",
                  {base, whole, arrays("measures", 2.0 * held), arrays("one, whole, and sorted, on rank 0", 2.0 * n)});
  // h, mean; of average_cost sums and, between the passes, work
  const Real averages_of_costs =
      (2.0 + (separable ? 1.0 + (dimension > 1 ? 1.0 : 0.0) + (dimension > 2 ? 1.0 : 0.0) : 0.0)) * local_n;
  // make_transport_problem, mean_cost
  if (settings.epsilon.unit == "max_cost" || settings.epsilon.unit == "mean_cost") {
    plan.consider("the unit of epsilon", {base, whole, pair, arrays("measures", 2.0 * held),
                                          arrays("weights and their logarithms", 4.0 * local_n),
                                          arrays("mean costs and work arrays", averages_of_costs),
                                          from_ranks(Reduction::average), arrays("kernel", kernel)});
  }
  // make_kernel: points_of, lend_points
  if (support.cloud() != nullptr) {
    const bool lent = clouds_are_lent && settings.kernel.resolved_type(support) == "truncated";
    plan.consider(
        "making of the kernel",
        {base, whole, pair, solved, arrays("weights and their logarithms", 4.0 * local_n),
         arrays("points on their way to the kernel", lent ? 0.0 : 2.0 * n * dimension), arrays("kernel", kernel)});
  }
  // SinkhornMap: f, g, image, h
  plan.consider("sweeps on the given grid",
                {sweeping, whole, pair, solved, arrays("weights and their logarithms", 4.0 * local_n),
                 arrays("potentials and half-steps", 4.0 * local_n), arrays("a row of the checkpoint", local_n),
                 arrays("acceleration", copies_of_state(settings.mixing()) * local_n), from_ranks(Reduction::softmin),
                 arrays("kernel", kernel),
                 arrays("exponentials and column sums", visit_values(settings.kernel, support, n, local_n))});
  if (support.cloud() != nullptr && settings.finish.wanted(support, settings.stopping.tolerance)) {
    // KeptPlan: both sides, then a search's values of boxes, then entries of a float and an int; the runs' couplings
    const Real entries = FinishOptions::most_entries * local_n;
    plan.consider("Newton steps on the given points",
                  {sweeping, whole, solved, arrays("weights and their logarithms", 4.0 * local_n),
                   arrays("potentials and half-steps", 4.0 * local_n), arrays("Newton's method", 8.0 * local_n),
                   arrays("a plan's sides", 9.0 * local_n), arrays("entries of the plan, kept", 2.0 * entries),
                   arrays("boxes of points", (4.0 + 3.0 * dimension + 2.0 * dimension) * n),
                   arrays("couplings of runs", std::pow(static_cast<Real>(most_runs), 2)), arrays("kernel", kernel)});
  }
  if (support.grid() != nullptr && settings.finish.wanted(support, settings.stopping.tolerance)) {
    const Grid& grid = *support.grid();
    const Real weights = weights_of_averages(settings, grid);
    const Real hessian = settings.target_penalty == "balanced" ? 5.0 : 6.0;
    const auto consider_step = [&](const std::string& name, Real fields, Real of_averages, Real kept) {
      plan.consider(name,
                    {base, whole, solved, arrays("weights and their logarithms", 4.0 * local_n),
                     arrays("potentials and half-steps", 4.0 * local_n), arrays("Newton's method", fields * local_n),
                     arrays("averages", of_averages), arrays("weights of averages, kept", kept * local_n),
                     arrays("blocks of points and their factorised matrix", block_values(settings, grid)),
                     from_ranks(Reduction::average), arrays("kernel", kernel)});
    };
    const Real averages = average_values(settings.kernel, support, local_n);
    const Real of_kept = std::max(0.0, averages - local_n);  // no log-sums
    // NewtonFinish::step: DualHessian, work; block_couplings: terms, rest, 3 an axis
    consider_step("Newton steps on the given grid, couplings", hessian + 3.0 + 3.0 * dimension,
                  weights > 0.0 ? of_kept : averages, 0.5 * weights);
    // then without the arguments of averages, with DualPreconditioner 1 and conjugate_gradients 5
    consider_step("Newton steps on the given grid", hessian + 6.0 - (weights > 0.0 ? 2.0 : 0.0),
                  weights > 0.0 ? of_kept : averages, weights);
  }
  // evaluate_transport: plan_at, then round_plans' fields or those of an unbalanced certificate, counted on runs; plan_costs
  const bool balanced = settings.source_penalty == "balanced" && settings.target_penalty == "balanced";
  plan.consider("evaluation of the result",
                {sweeping, whole, pair, solved, arrays("weights and their logarithms", 4.0 * local_n),
                 arrays("potentials", 2.0 * local_n),
                 arrays("plan marginals and rounding", (balanced && !run.normalized ? 10.0 : 5.0) * local_n),
                 arrays("mean costs and work arrays", averages_of_costs), from_ranks(Reduction::average),
                 arrays("kernel", kernel)});
  // DividedSupport::whole, write_transport
  const Real one_cloud = support.cloud() == nullptr ? 0.0 : n * static_cast<Real>(dimension);
  plan.consider("writing", {after, whole, pair, arrays("points of a cloud on their way", one_cloud),
                            arrays("potentials of this rank", 3.0 * local_n),
                            support.grid() != nullptr ? arrays("potentials of another rank, on rank 0", local_n)
                                                      : arrays("potentials, whole, on rank 0", 2.0 * n)});
  if (run.maps.any()) consider_maps(settings, run, after, whole, plan);
  return plan;
}

bool divides_points(const TransportSettings& settings, const TransportRun& run) {
  return run.source.cloud() != nullptr && run.parts == 1 && !run.divergence &&
         !settings.finish.wanted(run.source, settings.stopping.tolerance);
}

WorkPlan plan_barycenter(const BarycenterSettings& settings, const BarycenterRun& run) {
  if (settings.free_support) return plan_free_support(settings, run);
  const auto [n, local_n, coarse, next] = sizes_of(run.support, settings.schedule, run.shape.rows);
  const Real owned = static_cast<Real>((run.measures + run.shape.batches - 1) / run.shape.batches);
  const Real states = owned + (settings.keeps_log_d() ? 1.0 : 0.0);
  const Real share = static_cast<Real>(
      BarycenterMap::measures_at_once(static_cast<Index>(owned), run.support.points(), run.shape.rows));
  const Real dual = settings.variation > 0.0 ? static_cast<Real>(run.support.dimension()) : 0.0;  // fields of w
  const Real halo = dual > 0.0 && run.shape.rows > 1 ? static_cast<Real>(plane_points(*run.support.grid())) : 0.0;
  const AccelerationOptions mixing = settings.acceleration_on(run.support);
  const Real metric = mixing.type == "anderson" ? 1.0 : 0.0;
  const Real solves = static_cast<Real>(run.rows) * run.parts;
  // drivers/barycenter.cpp keeps raw data while other solves follow: in all but the last row, of which it holds the results
  // of the rows before; each of the two may be more
  const Real kept = solves > 1.0 ? owned * local_n : 0.0;
  const Real rows_before = static_cast<Real>(run.rows - 1);
  const Real rows_kept = run.parts > 1 ? rows_before : std::max(0.0, rows_before - 1.0);
  const bool before_last = kept + rows_kept * local_n > rows_before * local_n;
  const PlannedArrays whole = arrays("measures that later solves need", kept);
  const PlannedArrays whole_then = arrays(whole.name, before_last ? kept : 0.0);
  const Real results = (before_last ? rows_kept : rows_before) * local_n;
  const PlannedArrays companions =
      arrays("maps to be written beside the barycenters", static_cast<Real>(run.companions) * local_n);
  PlannedArrays base = library_buffers();
  base.bytes += arrays({}, geometry_values(run.support)).bytes;
  const Real searches = search_values(settings.kernel, run.support, local_n);
  WorkPlan plan;
  if (searches > 0.0) {
    plan.consider("search for geodesics",
                  {base, whole, arrays("measures, whole", owned * n), arrays("distances", searches),
                   arrays("kernel", kernel_values(settings.kernel, run.support, 0.0, n, local_n))});
  }
  plan.terms_per_sweep =
      (2.0 * owned + (settings.debiased ? 1.0 : 0.0)) * terms_of_softmin(settings.kernel, run.support, n, local_n);
  // read_measures, make_measures; MultiscaleBarycenter; then add_companions
  plan.consider("reading",
                {base, whole, arrays("measures and their coarse copies", owned * local_n * (1.0 + coarse / n)),
                 of_reading(run.support, run.shape.rows, local_n)});
  if (run.companions > 0) {
    plan.consider("means of the measures",
                  {base, whole, arrays("measures", owned * held_points(run.support, n, local_n)), companions,
                   arrays("a measure, on the host and the device, sums and their rests", 4.0 * local_n)});
  }
  // MultiscaleBarycenter::carried, with the level before still there
  plan.consider("entering the given grid",
                {base, whole, companions, arrays("measures, owned rows", owned * local_n),
                 arrays("half-steps carried over", owned * local_n),
                 arrays("log weights, potentials, half-steps of the next coarser grid", 3.0 * owned * next),
                 arrays("dual fields of the variation", dual * (local_n + 2.0 * next) + halo),
                 arrays("acceleration on the next coarser grid", copies_of_state(mixing) * states * next)});
  // BarycenterMap
  plan.consider(
      "sweeps on the given grid",
      {base, whole_then, companions, arrays("log weights, potentials, half-steps", 3.0 * owned * local_n),
       arrays("acceleration", (copies_of_state(mixing) * states + metric) * local_n),
       arrays("half-steps in flight", share * local_n),
       arrays("dual fields of the variation", 2.0 * dual * local_n + halo), arrays("a row of the checkpoint", local_n),
       arrays("barycenter and the offset of its method", (settings.keeps_log_d() ? 3.0 : 1.0) * local_n),
       arrays("barycenters of the rows of weights before", results),
       between_ranks(settings.kernel, run.support, run.shape.rows, Reduction::softmin, share),
       arrays("kernel", kernel_values(settings.kernel, run.support, share * local_n, n, local_n))});
  // write_barycenters; picture_of: sorted values
  const Real maps_of_surface =
      run.support.mesh() == nullptr ? 0.0 : 2.0 * static_cast<Real>(std::max(run.rows, run.companions)) * n;
  plan.consider("writing", {base, companions, arrays("barycenters of this rank", (rows_before + 2.0) * local_n),
                            arrays("part of another rank, on rank 0", local_n),
                            arrays("maps of a surface, whole, on rank 0", maps_of_surface),
                            arrays("a barycenter, whole, and sorted, on rank 0", run.picture ? 2.0 * n : 0.0)});
  return plan;
}

}  // namespace hpot
