#include "hpot/solver/scaling.hpp"

#include "hpot/measure/synthetic.hpp"
#include "hpot/measure/synthetic_points.hpp"
#include "hpot/solver/barycenter.hpp"
#include "hpot/solver/scales.hpp"
#include "hpot/solver/sinkhorn.hpp"

#include <cmath>

namespace hpot {
namespace {

constexpr Index one_level = Index{1} << 40;  // no side is longer
constexpr Real matrix_epsilon = 0.02;        // of costs up to 1

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
       "separable (grids), dense or stored (clouds), matrix (explicit costs), barycenter (of grids)",
       check::one_of({"separable", "dense", "stored", "matrix", "barycenter"})},
      {"scaling.n", "64", "points along every axis of a grid, of a cloud, or rows of a matrix; weak: of one rank",
       check::integer(2, Index{1} << 32)},
      {"scaling.dimension", "3", "of grids and clouds", check::integer(1, 3)},
      {"scaling.measures", "8", "of a barycenter; weak: of one rank", check::integer(1, 1 << 20)},
      {"scaling.epsilon", "1", "multiples of the squared spacing; of a matrix: of a fiftieth of its largest cost",
       check::positive()},
      {"scaling.weak", "false", "the problem grows with the ranks, so that the work of each stays what it is",
       check::flag()},
      {"scaling.debiased", "false", "of a barycenter", check::flag()},
      {"scaling.precision", "double", "of the exponentials; mixed: a matrix of floats, too",
       check::one_of({"double", "mixed"})},
  };
}

ScalingOptions ScalingOptions::from(const Options& options) {
  return {options.text("scaling.operator"),
          options.integer("scaling.n"),
          static_cast<int>(options.integer("scaling.dimension")),
          options.integer("scaling.measures"),
          options.real("scaling.epsilon"),
          options.flag("scaling.weak"),
          options.flag("scaling.debiased"),
          options.text("scaling.precision") == "mixed" ? Precision::mixed : Precision::full};
}

ScalingOptions ScalingOptions::on(int ranks) const {
  ScalingOptions here = *this;
  if (!weak) return here;
  if (barycenter()) here.measures *= ranks;
  if (!barycenter() && op != "separable") here.n = std::llround(static_cast<Real>(n) * std::sqrt(ranks));
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
  TransportRun run;
  run.ranks = ranks;
  if (options.op == "separable") {
    run.source = synthetic_grid(waves(options, ranks));
  } else if (options.op == "matrix") {
    run.source = IndexSet{options.n};
    settings.kernel.matrix_file = "synthetic";
    settings.kernel.short_storage = options.precision == Precision::mixed;
  } else {
    settings.kernel.type = options.op;
    run.source = clouds(options).source_support;
  }
  run.target = run.source;
  return plan_transport(settings, run);
}

ScalingCase make_scaling_case(const ProcessGrid& processes, const ScalingOptions& asked) {
  const int ranks = processes.world().size();
  const ScalingOptions options = asked.on(ranks);
  const auto& along_rows = processes.along_rows();
  const bool on_grid = options.barycenter() || options.op == "separable";
  ScalingCase made;
  KernelOptions kernel;
  kernel.type = on_grid ? "separable" : options.op == "matrix" ? "auto" : options.op;
  Real epsilon = options.epsilon;
  const auto share_of = [](const OwnedRows& rows) {
    return static_cast<Real>(rows.local_n()) / static_cast<Real>(rows.partition.global_n());
  };
  if (options.barycenter()) {
    const std::string source = waves(options, ranks);
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
    made.size = std::to_string(options.measures) + " of " + grid.describe();
    made.interactions = softmins * points * static_cast<Real>(options.n * options.dimension);
    made.least = demands_of_axes(options.dimension, own_softmins * points * share_of(own_rows(grid, along_rows)));
    auto problem = std::make_unique<MultiscaleBarycenter>(kernel, std::move(data), processes, one_level);
    problem->set_precision(options.precision);
    made.problem = std::move(problem);
  } else {
    TransportData data;
    if (options.op == "separable") {
      const std::string source = waves(options, ranks);
      const Grid grid = synthetic_grid(source);
      data = {grid, grid, slab_of_waves(source, 2, 0, along_rows), slab_of_waves(source, 2, 1, along_rows)};
    } else if (options.op == "matrix") {
      const IndexSet set{options.n};
      const std::vector<Real> uniform(options.n, 1.0 / static_cast<Real>(options.n));
      data = {set, set, uniform, uniform};
      kernel.matrix_file = "synthetic";
      kernel.matrix = synthetic_matrix(options.n, own_rows(set, along_rows).range(), options.precision);
      epsilon *= matrix_epsilon;
    } else {
      data = clouds(options);
    }
    const Real share = share_of(own_rows(data.source_support, along_rows));
    const Real points = static_cast<Real>(data.source_support.points());
    const bool mixed = options.precision == Precision::mixed;
    made.size = data.source_support.describe();
    if (on_grid) {
      Real sides = 0.0;
      for (const Axis& axis : data.source_support.grid()->axes) sides += static_cast<Real>(axis.n);
      made.interactions = 2.0 * points * sides;
      made.least = demands_of_axes(options.dimension, 2.0 * points * share);
    } else {
      made.interactions = 2.0 * points * points;
      const Real entry = options.op == "matrix" ? (mixed ? 4.0 : 8.0) : options.op == "stored" ? 8.0 : 0.0;
      made.least = demands_of(options, points * points, share, entry);
      if (options.op != "matrix") epsilon *= neighbour_cost(kernel.cost, data.target_support);
    }
    auto problem = std::make_unique<MultiscaleSinkhorn>(kernel, std::move(data), along_rows, one_level);
    problem->set_precision(options.precision);
    made.problem = std::move(problem);
  }
  made.map = &made.problem->enter(0);
  made.map->set_epsilon(epsilon);
  return made;
}

}  // namespace hpot
