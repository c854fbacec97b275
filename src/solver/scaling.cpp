#include "hpot/solver/scaling.hpp"

#include "hpot/core/field.hpp"
#include "hpot/measure/synthetic.hpp"
#include "hpot/measure/synthetic_points.hpp"
#include "hpot/measure/synthetic_surface.hpp"
#include "hpot/solver/barycenter.hpp"
#include "hpot/solver/coordinate_plan.hpp"
#include "hpot/solver/scales.hpp"
#include "hpot/solver/sinkhorn.hpp"

#include <cmath>

namespace hpot {
namespace {

constexpr Index one_level = Index{1} << 40;  // no side is longer
constexpr Real matrix_epsilon = 0.02;        // of costs up to 1
constexpr Real surface_epsilon = 4.0;        // mean edges squared: heat reaches farther than its noise there

std::string shape_of(const ScalingOptions& options, int ranks) {
  std::string shape;
  for (int d = 0; d < options.dimension; ++d) {
    const Index side = options.sides.empty() ? options.n : options.sides[d];
    shape += (d > 0 ? "x" : "") + std::to_string(side * (d == 0 && options.weak && !options.of_measures() ? ranks : 1));
  }
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
  if (options.of_measures()) kernel.type = "separable";
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

/// Of "64" one, of "225x276x208" three.
std::vector<std::string> sides_of(const std::string& text) {
  std::vector<std::string> sides;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find('x', begin), text.size());
    sides.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return sides;
}

std::string sides_problem(const std::string& text) {
  const std::vector<std::string> sides = sides_of(text);
  if (sides.size() > 3) return "at most three sides";
  for (const std::string& side : sides) {
    if (std::string problem = check::integer(2, Index{1} << 32)(side); !problem.empty()) return problem;
  }
  return {};
}

}  // namespace

std::vector<OptionKey> ScalingOptions::keys() {
  return {
      {"scaling.operator", "separable",
       "separable (grids), dense, stored or truncated (clouds), matrix (explicit costs), heat or geodesic (a sphere's "
       "surface), barycenter (of grids), coordinates (a gradient of them, of grids)",
       check::one_of(
           {"separable", "dense", "stored", "truncated", "matrix", "heat", "geodesic", "barycenter", "coordinates"})},
      {"scaling.n", "64",
       "points along every axis of a grid, or 225x276x208 along each, the slowest first, of a cloud, rows of a matrix, "
       "or "
       "least vertices of a surface; weak: of one rank",
       sides_problem},
      {"scaling.dimension", "3", "of grids, where scaling.n does not say, and clouds", check::integer(1, 3)},
      {"scaling.measures", "8", "of a barycenter or coordinates; weak: of one rank", check::integer(1, 1 << 20)},
      {"scaling.sweeps", "20", "of coordinates: those that a gradient goes through there and back",
       check::integer(1, 1000)},
      {"scaling.held", "all", "of coordinates: states of sweeps that are held at once; the others are made again",
       check::word_or({"all"}, check::integer(1, 1000))},
      {"scaling.epsilon", "1",
       "multiples of the squared spacing; of a matrix: of a fiftieth of its largest cost; of a surface: of four "
       "squared "
       "mean edges",
       check::positive()},
      {"scaling.weak", "false",
       "the problem grows with the ranks, so that the work of each stays what it is; not of surfaces", check::flag()},
      {"scaling.debiased", "false", "of a barycenter or coordinates", check::flag()},
      {"scaling.precision", "double", "of the exponentials; mixed: a matrix of floats, too",
       check::one_of({"double", "mixed"})},
  };
}

ScalingOptions ScalingOptions::from(const Options& options) {
  ScalingOptions result;
  result.op = options.text("scaling.operator");
  const std::vector<std::string> sides = sides_of(options.text("scaling.n"));
  result.n = std::stoll(sides[0]);
  result.dimension = static_cast<int>(options.integer("scaling.dimension"));
  result.measures = options.integer("scaling.measures");
  result.sweeps = options.integer("scaling.sweeps");
  if (options.text("scaling.held") != "all") result.held = std::min(options.integer("scaling.held"), result.sweeps);
  if (result.held > 0 && result.held < SweepRecall::fewest(result.sweeps))
    options.reject("scaling.held",
                   "the way back takes " + std::to_string(SweepRecall::fewest(result.sweeps)) + " at least",
                   "raise it");
  result.epsilon = options.real("scaling.epsilon");
  result.weak = options.flag("scaling.weak");
  result.debiased = options.flag("scaling.debiased");
  result.precision = options.text("scaling.precision") == "mixed" ? Precision::mixed : Precision::full;
  if (sides.size() > 1) {
    for (const std::string& side : sides) result.sides.push_back(std::stoll(side));
    result.dimension = static_cast<int>(sides.size());
    if (!result.on_grid())
      options.reject("scaling.n", "scaling.operator = " + result.op + " is not of a grid", "give one number");
    if (options.given("scaling.dimension") && options.integer("scaling.dimension") != result.dimension)
      options.reject("scaling.dimension", "scaling.n has " + std::to_string(sides.size()) + " sides", "leave it out");
  }
  if (result.weak && result.on_surface())
    options.reject("scaling.weak", "spheres come in sizes that differ four times", "leave it out");
  if (result.on_surface() && result.n > synthetic_surface_vertices(sphere(result)))
    options.reject("scaling.n", "the largest sphere has 2621442 vertices", "take no more");
  return result;
}

Index ScalingOptions::sweeps_made() const {
  return op == "coordinates" ? SweepRecall(sweeps, held > 0 ? held : sweeps).sweeps() : 1;
}

ScalingOptions ScalingOptions::on(int ranks) const {
  ScalingOptions here = *this;
  if (!weak) return here;
  if (of_measures()) here.measures *= ranks;
  if (op == "truncated") here.n *= ranks;
  if (op == "dense" || op == "stored" || op == "matrix") here.n = std::llround(static_cast<Real>(n) * std::sqrt(ranks));
  return here;
}

namespace {

/// Of all measures, at one eps.
SweepSettings sweep_settings(const ScalingOptions& options) {
  SweepSettings settings;
  settings.kernel = kernel_of(options);
  settings.schedule.factor = 1.0;
  settings.schedule.multiscale = false;
  settings.precision = options.precision;
  settings.debiased = options.debiased;
  settings.sweeps = options.sweeps;
  settings.places = options.held > 0 ? options.held : options.sweeps;
  return settings;
}

}  // namespace

WorkPlan plan_scaling(const ScalingOptions& asked, ProcessGridShape shape) {
  const int ranks = shape.rows * shape.batches;
  const ScalingOptions options = asked.on(ranks);
  if (options.op == "coordinates") {
    const Support grid = synthetic_grid(waves(options, ranks));
    return plan_coordinates({sweep_settings(options), {}}, {grid, options.measures, shape, false});
  }
  if (options.op == "barycenter") {
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

/// Sweeps of a problem with one level.
std::function<void()> sweep_of(std::shared_ptr<LeveledProblem> problem, Real epsilon) {
  FixedPointMap& map = problem->enter(0);
  map.set_epsilon(epsilon);
  return [problem = std::move(problem), &map] {
    (void)map.evaluate();
    map.accept();
  };
}

Real sum_of_sides(const Grid& grid) {
  Real sides = 0.0;
  for (const Axis& axis : grid.axes) sides += static_cast<Real>(axis.n);
  return sides;
}

/// What softmins of measures on a grid take, so many on all ranks and so many on this one.
void count_softmins(const ScalingOptions& options, const Grid& grid, const OwnedRows& rows, Real all, Real own,
                    ScalingCase& made) {
  const Real points = static_cast<Real>(grid.points());
  made.size = std::to_string(options.measures) + " of " + grid.describe();
  made.interactions = all * points * sum_of_sides(grid);
  made.least = demands_of_axes(options.dimension, own * points * share_of(rows));
}

ScalingCase make_coordinates_case(const ProcessGrid& processes, const ScalingOptions& options) {
  const auto& along_rows = processes.along_rows();
  const std::string source = waves(options, processes.world().size());
  const Grid grid = synthetic_grid(source);
  const OwnedRows rows = own_rows(grid, along_rows);
  const Range owned = Partition(options.measures, 1, processes.shape().batches).block(processes.along_batches().rank());
  const auto map = [&](Index item) {  // the target comes last
    return slab_of_waves(source, options.measures + 1, item, along_rows);
  };
  const Field log_weight = make_unset_field("hpot::make_coordinates_case", owned.size(), rows.local_n());
  for (Index k = 0; k < owned.size(); ++k) set_entry(log_weight, k, map(owned.begin + k));
  take_log(log_weight);
  const Field target = make_field("hpot::make_coordinates_case::target", 1, map(options.measures));
  const SweepSettings settings = sweep_settings(options);
  const auto objective = std::make_shared<CoordinateObjective>(
      make_sweeps(settings, {{grid, rows, log_weight, options.epsilon, settings.places}}, processes.along_batches(),
                  {}),
      make_map_loss({}, grid, rows, {ConstField(), grid.points()}, target));
  const std::vector<Real> lambda(options.measures, 1.0 / static_cast<Real>(options.measures));
  const auto sweeps = static_cast<Real>(options.sweeps);
  const auto softmins =
      [&](Index count) {  // with two averages and a softmin back, another one of the last sweep's potentials
        const auto measures = static_cast<Real>(count);
        const Real self = options.debiased ? 1.0 : 0.0;
        return static_cast<Real>(options.sweeps_made()) * (2.0 * measures + self) +
               (sweeps - 1.0) * 3.0 * (measures + self) + (sweeps > 1.0 ? measures : 0.0);
      };
  ScalingCase made;
  count_softmins(options, grid, rows, softmins(options.measures), softmins(owned.size()), made);
  made.sweep = [objective, lambda] {
    std::vector<Real> gradient;
    objective->evaluate(lambda, gradient);
  };
  return made;
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
  const Real self = options.debiased ? 1.0 : 0.0;
  ScalingCase made;
  count_softmins(options, grid, own_rows(grid, along_rows), 2.0 * static_cast<Real>(options.measures) + self,
                 2.0 * static_cast<Real>(owned.size()) + self, made);
  auto problem = std::make_shared<MultiscaleBarycenter>(kernel_of(options), std::move(data), processes, one_level);
  problem->set_precision(options.precision);
  made.sweep = sweep_of(std::move(problem), options.epsilon);
  return made;
}

/// Work of a transport's sweep on all ranks, and what this rank cannot do without.
void count_work(const ScalingOptions& options, const TransportData& data, Real share, ScalingCase& made) {
  const Real points = static_cast<Real>(data.source_support.points());
  if (options.op == "separable") {
    made.interactions = 2.0 * points * sum_of_sides(*data.source_support.grid());
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
  if (options.op == "barycenter") return make_barycenter_case(processes, options);
  if (options.op == "coordinates") return make_coordinates_case(processes, options);
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
  auto problem = std::make_shared<MultiscaleSinkhorn>(kernel, std::move(data), along_rows, one_level);
  problem->set_precision(options.precision);
  made.sweep = sweep_of(std::move(problem), epsilon);
  return made;
}

}  // namespace hpot
