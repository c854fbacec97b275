#include "hpot/solver/scaling.hpp"

#include "hpot/measure/synthetic.hpp"
#include "hpot/measure/synthetic_points.hpp"
#include "hpot/measure/synthetic_surface.hpp"
#include "hpot/solver/barycenter.hpp"
#include "hpot/solver/scales.hpp"
#include "hpot/solver/sinkhorn.hpp"

#include <cmath>

namespace hpot {
namespace {

constexpr Index one_level = Index{1} << 40;  // no side is longer
constexpr Real matrix_epsilon = 0.02;        // of costs up to 1
constexpr Real surface_epsilon = 4.0;        // mean edges squared: heat reaches farther than its noise there

std::string shape_of(const ScalingOptions& options, int ranks) {
  std::string shape = std::to_string(options.n * (options.weak && !options.barycenter() ? ranks : 1));
  for (int d = 1; d < options.dimension; ++d) shape += "x" + std::to_string(options.n);
  return shape;
}

/// Of all points, or of the owned rows.
std::vector<Real> of_mass_one(std::vector<Real> values, const OwnedRows& rows) {
  const Real mass = total(rows, values);
  for (Real& value : values) value /= mass;
  return values;
}

std::string waves(const ScalingOptions& options, int ranks) {
  return "waves?shape=" + shape_of(options, ranks) + "&dim=" + std::to_string(options.dimension) + "&seed=1";
}

/// The owned rows of measure `item` of `count`.
std::vector<Real> slab_of_waves(const std::string& source, Index count, Index item, const Communicator& along_rows) {
  const Grid grid = synthetic_grid(source);
  const OwnedRows rows = own_rows(grid, along_rows);
  const std::string all = source + "&count=" + std::to_string(count);
  return of_mass_one(synthetic_planes(all, item, owned_planes(rows, grid)).values, rows);
}

TransportData clouds(const ScalingOptions& options) {
  const auto cloud = [&](Index item) {
    return in_morton_order(synthetic_cloud(
        "points?n=" + std::to_string(options.n) + "&dim=" + std::to_string(options.dimension) + "&count=2", item));
  };
  CloudData a = cloud(0);
  CloudData b = cloud(1);
  const auto weights = [](CloudData& data) {
    return of_mass_one(std::move(data.values), own_rows(data.cloud, Communicator::self()));
  };
  std::vector<Real> of_a = weights(a);
  std::vector<Real> of_b = weights(b);
  return {std::move(a.cloud), std::move(b.cloud), std::move(of_a), std::move(of_b)};
}

std::string sphere(const ScalingOptions& options) {
  constexpr int most = 9;
  int subdivisions = 0;
  while (subdivisions < most &&
         synthetic_surface_vertices("sphere?subdivisions=" + std::to_string(subdivisions)) < options.n)
    ++subdivisions;
  return "sphere?subdivisions=" + std::to_string(subdivisions);
}

TransportData maps(const ScalingOptions& options) {
  const std::string source = sphere(options);
  const Mesh mesh = make_mesh(synthetic_surface(source));
  const OwnedRows all = own_rows(mesh, Communicator::self());
  const auto map = [&](Index item) { return of_mass_one(synthetic_surface_map(source + "&count=2", item), all); };
  return {mesh, mesh, map(0), map(1)};
}

TransportData entries(const ScalingOptions& options) {
  const IndexSet set{options.n};
  const std::vector<Real> uniform(options.n, 1.0 / static_cast<Real>(options.n));
  return {set, set, uniform, uniform};
}

TransportData grids(const ScalingOptions& options, int ranks, const Communicator& along_rows) {
  const std::string source = waves(options, ranks);
  const Grid grid = synthetic_grid(source);
  return {grid, grid, slab_of_waves(source, 2, 0, along_rows), slab_of_waves(source, 2, 1, along_rows)};
}

KernelOptions kernel_of(const ScalingOptions& options) {
  KernelOptions kernel;
  kernel.type = options.op;
  if (options.op == "matrix") kernel.matrix_file = "synthetic";
  if (options.op == "matrix" || options.op == "geodesic") {
    kernel.type = "auto";
    kernel.short_storage = options.precision == Precision::mixed;
  }
  if (options.barycenter()) kernel.type = "separable";
  kernel.along_surface = options.on_surface();
  return kernel;
}

/// A transport's sweep in one visit to `pairs` on all ranks, `share` of them on this one: one exponential serves both half-steps.
std::vector<Demand> demands_of(const ScalingOptions& options, Real pairs, Real share, Real bytes_per_pair) {
  const Ceiling exps = options.precision == Precision::mixed ? Ceiling::exp_float : Ceiling::exp_double;
  std::vector<Demand> demands{{exps, pairs * share}};
  if (bytes_per_pair > 0.0) demands.push_back({Ceiling::memory_read, bytes_per_pair * pairs * share});
  return demands;
}

/// Windows leave out most pairs of an axis; an array that is read and one that is written on each axis remain.
std::vector<Demand> demands_of_axes(int dimension, Real softmins_of_points) {
  return {{Ceiling::memory_read, 2.0 * sizeof(Real) * dimension * softmins_of_points}};
}

}  // namespace

std::vector<OptionKey> ScalingOptions::keys() {
  return {
      {"scaling.operator", "separable",
       "separable (grids), dense, stored or truncated (clouds), matrix (explicit costs), heat or geodesic (a sphere's "
       "surface), barycenter (of grids)",
       check::one_of({"separable", "dense", "stored", "truncated", "matrix", "heat", "geodesic", "barycenter"})},
      {"scaling.n", "64",
       "points along every axis of a grid, of a cloud, rows of a matrix, or least vertices of a surface; weak: of one "
       "rank",
       check::integer(2, Index{1} << 32)},
      {"scaling.dimension", "3", "of grids and clouds", check::integer(1, 3)},
      {"scaling.measures", "8", "of a barycenter; weak: of one rank", check::integer(1, 1 << 20)},
      {"scaling.epsilon", "1",
       "multiples of the squared spacing; of a matrix: of a fiftieth of its largest cost; of a surface: of four "
       "squared "
       "mean edges",
       check::positive()},
      {"scaling.weak", "false",
       "the problem grows with the ranks, so that the work of each stays what it is; not of surfaces", check::flag()},
      {"scaling.debiased", "false", "of a barycenter", check::flag()},
      {"scaling.precision", "double", "of the exponentials; mixed: a matrix of floats, too",
       check::one_of({"double", "mixed"})},
  };
}

ScalingOptions ScalingOptions::from(const Options& options) {
  const ScalingOptions result{options.text("scaling.operator"),
                              options.integer("scaling.n"),
                              static_cast<int>(options.integer("scaling.dimension")),
                              options.integer("scaling.measures"),
                              options.real("scaling.epsilon"),
                              options.flag("scaling.weak"),
                              options.flag("scaling.debiased"),
                              options.text("scaling.precision") == "mixed" ? Precision::mixed : Precision::full};
  if (result.weak && result.on_surface())
    options.reject("scaling.weak", "spheres come in sizes that differ four times", "leave it out");
  if (result.on_surface() && result.n > synthetic_surface_vertices(sphere(result)))
    options.reject("scaling.n", "the largest sphere has 2621442 vertices", "take no more");
  return result;
}

ScalingOptions ScalingOptions::on(int ranks) const {
  ScalingOptions here = *this;
  if (!weak) return here;
  if (barycenter()) here.measures *= ranks;
  if (op == "truncated") here.n *= ranks;
  if (op == "dense" || op == "stored" || op == "matrix") here.n = std::llround(static_cast<Real>(n) * std::sqrt(ranks));
  return here;
}

WorkPlan plan_scaling(const ScalingOptions& asked, ProcessGridShape shape) {
  const int ranks = shape.rows * shape.batches;
  const ScalingOptions options = asked.on(ranks);
  if (options.barycenter()) {
    BarycenterSettings settings;
    settings.debiased = options.debiased;
    settings.acceleration.type = "none";
    BarycenterRun run;
    run.support = synthetic_grid(waves(options, ranks));
    run.measures = options.measures;
    run.shape = shape;
    return plan_barycenter(settings, run);
  }
  TransportSettings settings;
  settings.acceleration.type = "none";
  settings.finish.finish = "none";
  settings.kernel = kernel_of(options);
  TransportRun run;
  run.ranks = ranks;
  if (options.op == "separable") {
    run.source = synthetic_grid(waves(options, ranks));
  } else if (options.op == "matrix") {
    run.source = IndexSet{options.n};
  } else if (options.on_surface()) {
    run.source = maps(options).source_support;
  } else {
    run.source = clouds(options).source_support;
  }
  run.target = run.source;
  return plan_transport(settings, run);
}

namespace {

Real share_of(const OwnedRows& rows) {
  return static_cast<Real>(rows.local_n()) / static_cast<Real>(rows.partition.global_n());
}

ScalingCase make_barycenter_case(const ProcessGrid& processes, const ScalingOptions& options) {
  const auto& along_rows = processes.along_rows();
  const std::string source = waves(options, processes.world().size());
  const Partition batches(options.measures, 1, processes.shape().batches);
  const Range owned = batches.block(processes.along_batches().rank());
  BarycenterData data{synthetic_grid(source), {}, {}, options.debiased, false};
  for (Index k = owned.begin; k < owned.end; ++k)
    data.measures.push_back(slab_of_waves(source, options.measures, k, along_rows));
  data.lambda.assign(data.measures.size(), 1.0 / static_cast<Real>(options.measures));
  const Grid grid = *data.support.grid();
  const Real softmins = 2.0 * static_cast<Real>(options.measures) + (options.debiased ? 1.0 : 0.0);
  const Real own_softmins = 2.0 * static_cast<Real>(owned.size()) + (options.debiased ? 1.0 : 0.0);
  const Real points = static_cast<Real>(grid.points());
  ScalingCase made;
  made.size = std::to_string(options.measures) + " of " + grid.describe();
  made.interactions = softmins * points * static_cast<Real>(options.n * options.dimension);
  made.least = demands_of_axes(options.dimension, own_softmins * points * share_of(own_rows(grid, along_rows)));
  auto problem = std::make_unique<MultiscaleBarycenter>(kernel_of(options), std::move(data), processes, one_level);
  problem->set_precision(options.precision);
  made.problem = std::move(problem);
  made.map = &made.problem->enter(0);
  made.map->set_epsilon(options.epsilon);
  return made;
}

/// Work of a transport's sweep on all ranks, and what this rank cannot do without.
void count_work(const ScalingOptions& options, const TransportData& data, Real share, ScalingCase& made) {
  const Real points = static_cast<Real>(data.source_support.points());
  if (options.op == "separable") {
    Real sides = 0.0;
    for (const Axis& axis : data.source_support.grid()->axes) sides += static_cast<Real>(axis.n);
    made.interactions = 2.0 * points * sides;
    made.least = demands_of_axes(options.dimension, 2.0 * points * share);
  } else if (options.op == "truncated" || options.op == "heat") {
    made.interactions = 2.0 * points;
  } else {
    const Real entry = options.precision == Precision::mixed ? sizeof(float) : sizeof(Real);
    const bool kept = options.op == "matrix" || options.op == "geodesic";
    made.interactions = 2.0 * points * points;
    made.least = demands_of(options, points * points, share,
                            kept                     ? entry
                            : options.op == "stored" ? sizeof(Real)
                                                     : 0.0);
  }
}

}  // namespace

ScalingCase make_scaling_case(const ProcessGrid& processes, const ScalingOptions& asked) {
  const int ranks = processes.world().size();
  const ScalingOptions options = asked.on(ranks);
  if (options.barycenter()) return make_barycenter_case(processes, options);
  const auto& along_rows = processes.along_rows();
  TransportData data = options.op == "separable" ? grids(options, ranks, along_rows)
                       : options.op == "matrix"  ? entries(options)
                       : options.on_surface()    ? maps(options)
                                                 : clouds(options);
  const OwnedRows rows = own_rows(data.source_support, along_rows);
  KernelOptions kernel = kernel_of(options);
  kernel.make_costs(data.source_support, rows);
  if (options.op == "matrix") kernel.matrix = synthetic_matrix(options.n, rows.range(), options.precision);
  Real epsilon = options.epsilon;
  if (options.op == "matrix") epsilon *= matrix_epsilon;
  if (options.on_surface()) epsilon *= surface_epsilon;
  if (options.op != "matrix" && options.op != "separable") epsilon *= neighbour_cost(kernel.cost, data.target_support);
  ScalingCase made;
  made.size = data.source_support.describe();
  count_work(options, data, share_of(rows), made);
  auto problem = std::make_unique<MultiscaleSinkhorn>(kernel, std::move(data), along_rows, one_level);
  problem->set_precision(options.precision);
  made.problem = std::move(problem);
  made.map = &made.problem->enter(0);
  made.map->set_epsilon(epsilon);
  return made;
}

}  // namespace hpot
