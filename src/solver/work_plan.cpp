#include "hpot/solver/work_plan.hpp"

#include "hpot/kernel/geodesic.hpp"
#include "hpot/kernel/separable.hpp"
#include "hpot/measure/pyramid.hpp"
#include "hpot/problem/block_couplings.hpp"
#include "plan_sizes.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace hpot {
namespace {

constexpr Real bytes_per_value = sizeof(Real);

/// Values of one field, as numbers of arrays are multiplied with them.
struct Sizes {
  Real n = 0.0;        // all points
  Real local_n = 0.0;  // owned rows of the rank with most
  Real coarse = 0.0;   // points of all coarser levels
  Real next = 0.0;     // local points of the next coarser level
};

Real largest_share(const Support& support, int parts) {
  return static_cast<Real>(divide_rows(support, parts).block(0).size());
}

Sizes sizes_of(const Support& support, const ScheduleOptions& schedule, int parts) {
  Sizes sizes{static_cast<Real>(support.points()), largest_share(support, parts), 0.0, 0.0};
  if (support.grid() != nullptr) {
    const std::vector<Grid> levels = make_levels(*support.grid(), schedule.coarsest_side());
    for (std::size_t l = 1; l < levels.size(); ++l) sizes.coarse += static_cast<Real>(levels[l].points());
    if (levels.size() > 1) sizes.next = largest_share(levels[1], parts);
  } else if (count_levels(support, schedule.coarsest_side()) > 1) {
    const Real run = std::exp2(support.dimension());
    sizes.coarse = sizes.n / (run - 1.0);
    sizes.next = sizes.local_n / run;
  }
  return sizes;
}

/// Of both sides, halved: most arrays are there once for each.
Sizes mean_sizes(const TransportRun& run, const ScheduleOptions& schedule) {
  const Sizes a = sizes_of(run.source, schedule, run.ranks);
  const Sizes b = sizes_of(run.target, schedule, run.ranks);
  return {0.5 * (a.n + b.n), 0.5 * (a.local_n + b.local_n), 0.5 * (a.coarse + b.coarse), 0.5 * (a.next + b.next)};
}

/// Copies of a state that an acceleration holds at most, see acceleration.hpp.
Real copies_of_state(const AccelerationOptions& acceleration) {
  if (acceleration.type == "momentum") return 0.5;
  if (acceleration.type == "overrelaxation") return 1.0;
  return acceleration.type == "anderson" ? 2.0 * static_cast<Real>(acceleration.memory) + 3.0 : 0.0;
}

/// What operators on a surface keep: the stiffness, the factor and, while it is made, its matrix (heat.cpp); costs of pairs, a
/// matrix of all or rows of near ones (geodesic.cpp).
Real surface_values(const KernelOptions& kernel, const Mesh& mesh, Real local_n) {
  constexpr Real of_entry = 2.0, stiffness = 27.0, matrix = 60.0, of_thread = 3.0;
  const auto n = static_cast<Real>(mesh.points());
  if (kernel.is_heat()) {
    const auto threads = static_cast<Real>(ExecutionSpace{}.concurrency());
    return of_entry * heat_factor_entries(mesh.points()) + (stiffness + matrix + of_thread * threads) * n;
  }
  if (kernel.radius == infinity) return local_n * n * (kernel.short_storage ? 0.5 : 1.0) + 6.0 * n;
  constexpr Real of_pair = 1.5;
  return of_pair * local_n * near_pairs(mesh, kernel.radius);
}

/// Rows of distances before they are costs: numbers and distances.
Real search_values(const KernelOptions& kernel, const Support& support, Real local_n) {
  constexpr Real of_pair = 2.0;
  return kernel.is_geodesic() ? of_pair * local_n * near_pairs(*support.mesh(), kernel.radius) : 0.0;
}

/// Its geometry, on the host of every rank.
Real geometry_values(const Support& support) {
  constexpr Real of_vertex = 12.0;
  return support.mesh() == nullptr ? 0.0 : of_vertex * static_cast<Real>(support.points());
}

/// What a sweep of hpot-sinkhorn in one visit takes beside the operator.
Real visit_values(const KernelOptions& kernel, const Support& support, Real n, Real local_n) {
  const std::string type = kernel.resolved_type(support);
  if (type == "separable" || type == "truncated") return 0.0;
  return values_of_visit(static_cast<Index>(local_n), static_cast<Index>(n));
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

PlannedArrays arrays(const std::string& name, Real values) { return {name, bytes_per_value * values}; }

/// Of a measure's values, those that a rank reads and keeps: its slab of a grid, of others all.
Real held_points(const Support& support, Real n, Real local_n) { return support.grid() != nullptr ? local_n : n; }

/// Beside them while measures are read: an image or a table, whole, and one level's sums over cells in planes, here and on the
/// way to the ranks that add them (pyramid.cpp).
PlannedArrays of_reading(const Support& support, int ranks, Real local_n) {
  const int axes = support.dimension();
  if (support.grid() == nullptr) return arrays("sums over cells", 0.0);
  const Real whole = ranks > 1 && axes < 3 ? static_cast<Real>(support.points()) : 0.0;
  return arrays("sums over cells", std::max(whole, (ranks > 1 ? 2.0 : 1.0) * std::exp2(1 - axes) * local_n));
}

enum class Reduction { softmin, average };

/// What an operator whose rows are divided holds of other ranks' values: lines on their way, or all points of `share` fields.
PlannedArrays between_ranks(const KernelOptions& kernel, const Support& support, int ranks, Reduction reduction,
                            Real share = 1.0) {
  const bool two = reduction == Reduction::average;
  const bool slabs = kernel.resolved_type(support) == "separable" && support.dimension() > 1;
  if (ranks == 1) return arrays("values of other ranks", 0.0);
  if (slabs) return arrays("lines between ranks", (two ? 5.0 : 3.0) * values_between(*support.grid(), ranks));
  return arrays("gathered values", (two ? 2.0 : 1.0) * share * static_cast<Real>(support.points()));
}

}  // namespace

Real kernel_values(const KernelOptions& kernel, const Support& support, Real batch_values, Real n, Real local_n) {
  if (const Mesh* mesh = support.mesh(); mesh != nullptr) return surface_values(kernel, *mesh, local_n);
  if (kernel.explicit_cost()) return local_n * n * (kernel.short_storage ? 0.5 : 1.0) + 6.0 * n;
  const bool cloud = support.cloud() != nullptr;
  const std::string type = kernel.resolved_type(support);
  if (type == "separable") return support.dimension() == 2 ? batch_values : 0.0;
  const Real points = (cloud ? 2.0 : 1.0) * n * static_cast<Real>(support.dimension());
  if (type == "truncated" || type == "adaptive") {  // truncated_clouds.hpp: coordinates, orders and boxes; h and values
    const int axes = std::holds_alternative<SquaredEuclidean>(kernel.cost) ? support.dimension() : 3;
    return 2.0 * local_n * (axes + 0.5) + (cloud ? 2.0 : 1.0) * n * (axes + 0.9) + 2.0 * n +
           (type == "adaptive" ? points : 0.0);
  }
  return type == "stored" ? local_n * n + 6.0 * n : points;
}

Real terms_of_softmin(const KernelOptions& kernel, const Support& support, Real n, Real local_n) {
  if (const Mesh* mesh = support.mesh(); mesh != nullptr && kernel.is_heat())
    return 2.0 * static_cast<Real>(kernel.heat_steps) * heat_factor_entries(mesh->points());
  if (const Mesh* mesh = support.mesh(); mesh != nullptr) return local_n * near_pairs(*mesh, kernel.radius);
  const std::string type = kernel.resolved_type(support);
  constexpr Real near_terms[] = {0.0, 200.0, 1000.0, 6000.0};  // at eps of some squared spacings, by dimension
  if (type == "truncated" || type == "adaptive")
    return local_n * std::min(n, near_terms[std::clamp(support.dimension(), 0, 3)]);
  if (type != "separable") return local_n * n;
  Real sides = 0.0;
  for (const Axis& axis : support.grid()->axes) sides += static_cast<Real>(axis.n);
  return local_n * sides;
}

Real average_values(const KernelOptions& kernel, const Support& support, Real local_n) {
  if (kernel.resolved_type(support) != "separable") return 0.0;
  return static_cast<Real>(support.dimension()) * local_n;
}

PlannedArrays library_buffers() { return {"libraries and their buffers", 8.0 * 0x1p20}; }

Real WorkPlan::bytes() const {
  Real sum = 0.0;
  for (const PlannedArrays& some : arrays) sum += some.bytes;
  return sum;
}

void WorkPlan::consider(const std::string& name, std::vector<PlannedArrays> others) {
  const WorkPlan other{name, std::move(others), terms_per_sweep};
  if (arrays.empty() || other.bytes() > bytes()) *this = other;
}

Index MapRun::frames_at_once(Index points) const {
  constexpr Index most = Index{1} << 24;
  return std::clamp<Index>(most / points, 1, std::max<Index>(frames, 1));
}

namespace {

/// Values of the pictures of all frames: 3 bytes a pixel.
Real frame_pictures(const Grid& grid, const MapRun& maps) {
  constexpr Real least_height = 256.0;  // picture.cpp
  if (!maps.picture || grid.dimension() == 1) return 0.0;
  Real pixels = 0.0;
  const auto enlarged = [](Real rows, Real columns) {
    const Real factor = std::ceil(least_height / std::max(rows, 1.0));
    return rows * columns * factor * factor;
  };
  const auto side = [&](int d) { return static_cast<Real>(grid.axes[d].n); };
  if (grid.dimension() == 2) pixels = enlarged(side(0), side(1));
  if (grid.dimension() == 3) pixels = enlarged(std::max(side(0), side(1)), side(1) + 2.0 * side(2));
  return static_cast<Real>(maps.frames) * pixels * 3.0 / bytes_per_value;
}

/// write_maps, in phases: barycentric_displacement and write_map; make_plan_search; write_plan and write_interpolation.
void consider_maps(const TransportSettings& settings, const TransportRun& run, const PlannedArrays& base,
                   const PlannedArrays& whole, WorkPlan& plan) {
  const auto [n, local_n, coarse, next] = mean_sizes(run, settings.schedule);
  const bool separable = settings.kernel.resolved_type(run.source) == "separable";
  const Real axes = run.source.dimension();
  const auto from_ranks = [&](Reduction reduction) {
    return between_ranks(settings.kernel, run.source, run.ranks, reduction);
  };
  const Real kernel = kernel_values(settings.kernel, run.source, local_n, n, local_n);
  const PlannedArrays marginals = arrays("weights, their logarithms and potentials", 6.0 * local_n);
  if (run.maps.map) {
    const Real sums = separable ? (axes > 1 ? 2.0 : 1.0) * local_n : 0.0;
    const Real work = separable && axes == 3 ? local_n : 0.0;  // that softmin does without
    plan.consider("averages of the map",
                  {base, whole, marginals, arrays("displacements", axes * local_n),
                   arrays("weights, values and means", 3.0 * local_n), arrays("work arrays of averages", sums + work),
                   from_ranks(Reduction::average), arrays("kernel", kernel)});
    const Grid* const grid = run.source.grid();
    const Real on_root = axes + (grid != nullptr && grid->affine ? std::max(3.0, axes) : axes);
    plan.consider("writing of the map",
                  {base, whole, marginals, arrays("displacements", axes * local_n),
                   arrays("work arrays of averages", sums + work), from_ranks(Reduction::average),
                   arrays("kernel", kernel), arrays("displacements, whole, on rank 0", on_root * n)});
  }
  if (run.maps
          .gradient) {  // write_gradient: weight_gradient; place_gradient, of costs but |x-y|^2 with points of its own
    const bool cloud = run.source.cloud() != nullptr;
    const Real places = cloud ? axes : 0.0;
    const bool own_points = cloud && !std::holds_alternative<SquaredEuclidean>(settings.kernel.cost);
    plan.consider("gradients",
                  {base, whole, marginals, arrays("gradients", std::max(2.0, places) * local_n),
                   arrays("half-steps, marginals and means", 4.0 * local_n),
                   own_points ? arrays("gathered weights and values", 2.0 * n) : from_ranks(Reduction::average),
                   arrays("points", own_points ? 2.0 * axes * n : 0.0),
                   arrays("gradients, whole, on rank 0", 2.0 * std::max(1.0, places) * n), arrays("kernel", kernel)});
  }
  if (run.maps.pixels > 0) {  // write_colors, with barycentric_image
    constexpr Real colors_at_once = 0x1p16, raster = 3.0, key = 4.0, axes_of_colors = 3.0;
    const auto pixels = static_cast<Real>(run.maps.pixels);
    const Real block = std::min(pixels, colors_at_once);
    plan.consider("colours of the picture", {base,
                                             whole,
                                             marginals,
                                             arrays("kernel", kernel),
                                             {"the picture and its colours", pixels * (raster + key + raster)},
                                             arrays("colours at once, on the host and the device, and where they go",
                                                    3.0 * axes_of_colors * block),
                                             arrays("points of the target", axes_of_colors * n),
                                             from_ranks(Reduction::average)});
  }
  if (!run.maps.plan && run.maps.frames == 0) return;
  const Grid* const grid = run.source.grid();
  const bool cloud = run.source.cloud() != nullptr;
  const Real halves = grid != nullptr ? axes : 1.0;  // axes along which a level has half of the one below
  Real above = 0.0;                                  // level 0
  for (Real level = n; level > 1.0; level /= std::exp2(halves)) above += level / std::exp2(halves);
  const bool tilted =
      !settings.kernel.explicit_cost() && std::holds_alternative<SquaredEuclidean>(settings.kernel.cost);
  const Real bounded = std::min<Real>(axes, 3.0);
  const PlannedArrays tilt =
      arrays("slopes and places of boxes",
             (tilted ? bounded * above : 0.0) + (cloud ? 2.0 * (bounded * above + axes * n) : 0.0));
  const PlannedArrays matrix = arrays("the cost matrix", settings.kernel.explicit_cost() ? kernel : 0.0);
  plan.consider("bounds of the plan's entries",
                {base, whole, marginals, tilt, arrays("half-steps", 4.0 * local_n),
                 arrays("bounds over boxes of targets", (run.maps.plan ? 2.0 : 1.0) * (n + above)),
                 from_ranks(run.maps.map ? Reduction::average : Reduction::softmin), arrays("kernel", kernel)});
  const PlannedArrays exponents = arrays("potentials and half-steps", 5.0 * local_n);
  if (run.maps.plan) {
    constexpr Real values_in_flight = 12.0;
    plan.consider("entries of the plan",
                  {base, whole, exponents, tilt, matrix, arrays("bounds over boxes of targets", 2.0 * (n + above)),
                   arrays("counts, and places in the input", 3.0 * local_n + (cloud ? 5.0 : 4.0) * n),
                   arrays("entries on their way", values_in_flight * static_cast<Real>(MapRun::entries_at_once))});
  }
  if (run.maps.frames == 0) return;
  const auto at_once = static_cast<Real>(run.maps.frames_at_once(grid->points()));
  const PlannedArrays bounds = arrays("bounds over boxes of targets", n + above);
  const Real pictures = frame_pictures(*grid, run.maps);
  plan.consider(
      "frames between the measures",
      {base, whole, exponents, tilt, bounds, arrays("frames", at_once * n), arrays("frames on rank 0", at_once * n),
       arrays("pictures", pictures * (1.0 - at_once / static_cast<Real>(run.maps.frames)))});
  if (!run.maps.picture) return;
  plan.consider("pictures of the frames",
                {base, whole, exponents, tilt, bounds, arrays("frames on rank 0", at_once * n),
                 arrays("a frame and its values, sorted", 2.0 * n), arrays("pictures", pictures)});
  plan.consider("the sheet of the pictures",
                {base, whole, exponents, tilt, bounds, arrays("pictures", 2.0 * pictures)});
}

}  // namespace

WorkPlan plan_transport(const TransportSettings& settings, const TransportRun& run) {
  const auto [n, local_n, coarse, next] = mean_sizes(run, settings.schedule);
  const Support& support = run.source;
  const int dimension = support.dimension();
  const auto from_ranks = [&](Reduction reduction) {
    return between_ranks(settings.kernel, support, run.ranks, reduction);
  };
  const Real kernel = kernel_values(settings.kernel, support, local_n, n, local_n);
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
  if (const Real searches = search_values(settings.kernel, support, local_n); searches > 0.0) {
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
  // make_kernel: points_of
  if (support.cloud() != nullptr) {
    plan.consider("making of the kernel",
                  {base, whole, pair, solved, arrays("weights and their logarithms", 4.0 * local_n),
                   arrays("points on their way to the kernel", 2.0 * n * dimension), arrays("kernel", kernel)});
  }
  // SinkhornMap: f, g, image, h
  plan.consider("sweeps on the given grid",
                {base, whole, pair, solved, arrays("weights and their logarithms", 4.0 * local_n),
                 arrays("potentials and half-steps", 4.0 * local_n), arrays("a row of the checkpoint", local_n),
                 arrays("acceleration", copies_of_state(settings.mixing()) * local_n), from_ranks(Reduction::softmin),
                 arrays("kernel", kernel),
                 arrays("exponentials and column sums", visit_values(settings.kernel, support, n, local_n))});
  if (support.grid() != nullptr && settings.finish.wanted(settings.stopping.tolerance)) {
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
                {base, whole, pair, solved, arrays("weights and their logarithms", 4.0 * local_n),
                 arrays("potentials", 2.0 * local_n),
                 arrays("plan marginals and rounding", (balanced && !run.normalized ? 10.0 : 5.0) * local_n),
                 arrays("mean costs and work arrays", averages_of_costs), from_ranks(Reduction::average),
                 arrays("kernel", kernel)});
  // write_transport
  plan.consider("writing", {base, whole, pair, arrays("potentials of this rank", 3.0 * local_n),
                            support.grid() != nullptr ? arrays("potentials of another rank, on rank 0", local_n)
                                                      : arrays("potentials, whole, on rank 0", 2.0 * n)});
  if (run.maps.any()) consider_maps(settings, run, base, whole, plan);
  return plan;
}

WorkPlan plan_barycenter(const BarycenterSettings& settings, const BarycenterRun& run) {
  if (settings.free_support) return plan_free_support(settings, run);
  const auto [n, local_n, coarse, next] = sizes_of(run.support, settings.schedule, run.shape.rows);
  const Real owned = static_cast<Real>((run.measures + run.shape.batches - 1) / run.shape.batches);
  const Real states = owned + (settings.debiased ? 1.0 : 0.0);
  const Real share = static_cast<Real>(
      BarycenterMap::measures_at_once(static_cast<Index>(owned), run.support.points(), run.shape.rows));
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
  // read_measures, make_measures; MultiscaleBarycenter
  plan.consider("reading",
                {base, whole, arrays("measures and their coarse copies", owned * local_n * (1.0 + coarse / n)),
                 of_reading(run.support, run.shape.rows, local_n)});
  // MultiscaleBarycenter::carried, with the level before still there
  plan.consider(
      "entering the given grid",
      {base, whole, arrays("measures, owned rows", owned * local_n), arrays("half-steps carried over", owned * local_n),
       arrays("log weights, potentials, half-steps of the next coarser grid", 3.0 * owned * next),
       arrays("acceleration on the next coarser grid", copies_of_state(mixing) * states * next)});
  // BarycenterMap
  plan.consider("sweeps on the given grid",
                {base, whole_then, arrays("log weights, potentials, half-steps", 3.0 * owned * local_n),
                 arrays("acceleration", (copies_of_state(mixing) * states + metric) * local_n),
                 arrays("half-steps in flight", share * local_n), arrays("a row of the checkpoint", local_n),
                 arrays("barycenter and debiasing", (settings.debiased ? 3.0 : 1.0) * local_n),
                 arrays("barycenters of the rows of weights before", results),
                 between_ranks(settings.kernel, run.support, run.shape.rows, Reduction::softmin, share),
                 arrays("kernel", kernel_values(settings.kernel, run.support, share * local_n, n, local_n))});
  // write_barycenters; picture_of: sorted values
  plan.consider("writing", {base, arrays("barycenters of this rank", (rows_before + 2.0) * local_n),
                            arrays("part of another rank, on rank 0", local_n),
                            arrays("a barycenter, whole, and sorted, on rank 0", run.picture ? 2.0 * n : 0.0)});
  return plan;
}

std::string describe(const WorkPlan& plan, int ranks) {
  constexpr Real mebibyte = 0x1p20;
  std::string text = "memory per rank, of " + std::to_string(ranks) + ", most of it in: " + plan.phase + "\n";
  char line[160];
  for (const PlannedArrays& some : plan.arrays) {
    if (some.bytes <= 0.0) continue;
    std::snprintf(line, sizeof line, "  %10.1f MiB  %s\n", some.bytes / mebibyte, some.name.c_str());
    text += line;
  }
  std::snprintf(line, sizeof line, "  %10.1f MiB  in all, beside the program at its start (%.0f MiB)\n",
                plan.bytes() / mebibyte, static_cast<Real>(memory_at_start()) / mebibyte);
  text += line;
  if (plan.terms_per_sweep <= 0.0) return text;
  std::snprintf(line, sizeof line, "  %10.3g terms per sweep on the given grid\n", plan.terms_per_sweep);
  return text + line;
}

namespace {

/// anderson with as many sweeps as fit, or momentum.
template <class Fits>
AccelerationOptions most_mixing(const AccelerationOptions& asked, const Fits& fits) {
  constexpr Index fewest = 3;  // with fewer, momentum is as good
  for (Index memory = asked.memory; memory >= std::min(fewest, asked.memory); --memory) {
    if (fits({"anderson", memory})) return {"anderson", memory};
  }
  return {"momentum", asked.memory};
}

/// Changes, each by itself, that make a plan fit `room`.
std::string what_fits(const Planner& planner, const AccelerationOptions& acceleration, int ranks, Real room) {
  constexpr int most_ranks = 1 << 14;
  const auto fits = [&](const AccelerationOptions& other, int others) {
    const auto plan = planner(other, others);
    return plan && plan->bytes() <= room;
  };
  const AccelerationOptions momentum{"momentum", acceleration.memory};
  const AccelerationOptions none{"none", acceleration.memory};
  std::string text;
  const auto offer = [&](const std::string& what) { text += (text.empty() ? "" : ", or ") + what; };
  for (Index memory = acceleration.memory - 1; acceleration.type == "anderson" && memory >= 1; --memory) {
    if (!fits({acceleration.type, memory}, ranks)) continue;
    offer("acceleration.memory = " + std::to_string(memory));
    break;
  }
  if (acceleration.type == "anderson" && fits(momentum, ranks)) {
    offer("acceleration.type = momentum");
  } else if (acceleration.type != "none" && fits(none, ranks)) {
    offer("acceleration.type = none");
  }
  const auto least_ranks = [&](const AccelerationOptions& other) {
    for (int others = ranks + 1; others <= most_ranks; ++others) {
      if (fits(other, others)) return others;
    }
    return 0;
  };
  if (const int others = least_ranks(acceleration); others > 0) offer(std::to_string(others) + " ranks");
  if (text.empty()) {
    if (const int others = least_ranks(none); others > 0)
      offer("acceleration.type = none on " + std::to_string(others) + " ranks");
  }
  return text.empty() ? "no number of ranks makes it fit: use a coarser grid, or raise the limit"
                      : "what would fit: " + text;
}

}  // namespace

AdmittedRun admit(const Communicator& world, const Options& options, const AccelerationOptions& asked,
                  const AccelerationOptions& without_limit, const Planner& planner) {
  const auto limit = ResourceOptions::from(options).memory_limit;
  const Real at_start = world.max(static_cast<Real>(memory_at_start()));
  const auto plan_of = [&](const AccelerationOptions& acceleration) {
    return planner(acceleration, world.size()).value_or(WorkPlan{});
  };
  AccelerationOptions acceleration = without_limit;
  if (asked.type == "auto" && limit) {
    acceleration =
        most_mixing(asked, [&](const AccelerationOptions& some) { return at_start + plan_of(some).bytes() <= *limit; });
  }
  const WorkPlan plan = plan_of(acceleration);
  if (options.action() == Options::Action::dry_run && world.rank() == 0)
    std::printf("%s  acceleration: %s\n", describe(plan, world.size()).c_str(), acceleration.text().c_str());
  if (!limit || at_start + plan.bytes() <= *limit) return {plan, acceleration};
  reject_plan(options, plan, at_start, what_fits(planner, acceleration, world.size(), *limit - at_start));
}

void reject_plan(const Options& options, const WorkPlan& plan, Real at_start, const std::string& what_fits) {
  std::vector<PlannedArrays> largest = plan.arrays;
  std::sort(largest.begin(), largest.end(), [](const auto& a, const auto& b) { return a.bytes > b.bytes; });
  constexpr std::size_t shown = 2;
  std::string why = "a rank would hold " + bytes_text(at_start + plan.bytes()) + " in its " + plan.phase;
  for (std::size_t a = 0; a < std::min(shown, largest.size()); ++a)
    why += (a == 0 ? ": " : ", ") + bytes_text(largest[a].bytes) + " " + largest[a].name;
  options.reject("resources.memory_limit", why, what_fits);
}

FinishOptions admitted_finish(const Communicator& world, const Options& options, const TransportSettings& settings,
                              const TransportRun& run) {
  const auto limit = ResourceOptions::from(options).memory_limit;
  if (!limit) return settings.finish;
  const Real room = *limit - world.max(static_cast<Real>(memory_at_start()));
  TransportSettings least = settings;
  least.acceleration = settings.acceleration.resolved("momentum");
  const auto fits = [&] { return plan_transport(least, run).bytes() <= room; };
  if (!fits()) least.finish.keeps_weights = false;
  if (!fits() && least.finish.finish == "auto") least.finish.finish = "none";
  return least.finish;
}

}  // namespace hpot
