// The gradient of a loss of L sweeps against central differences, and the same on any number of ranks and places.
#include "hpot/solver/coordinate_objective.hpp"

#include "hpot/measure/pyramid.hpp"
#include "hpot/measure/synthetic_surface.hpp"
#include "hpot/problem/barycenter_problem.hpp"
#include "hpot/solver/measure_levels.hpp"
#include "hpot/solver/sweep_settings.hpp"
#include "transport.hpp"

#include <gtest/gtest.h>

namespace hpot {
namespace {

using test::Values;

struct Case {
  Support support;
  std::vector<Values> measures;
  Values target;
  std::vector<Real> epsilons;
  std::string kernel = "separable";
  bool debiased = false;
  std::vector<Values> costs{};  // of an index set
  SweepGradient gradient = SweepGradient::unrolled;
  Real radius = infinity;  // of geodesics
  Index coarsest_side =
      1 << 20;  // of the grids that sweeps go through, as many on each; eps four times that of the finer one

  [[nodiscard]] bool through_grids() const { return count_levels(support, coarsest_side) > 1; }
  [[nodiscard]] std::string describe() const {
    return std::string(gradient == SweepGradient::implicit ? "implicit, " : "") + (debiased ? "debiased, " : "") +
           support.describe() + ", " + std::to_string(epsilons.size()) + " sweeps" +
           (through_grids() ? " through grids" : "");
  }
};

KernelOptions kernel_of(const Case& some, const OwnedRows& rows) {
  if (!some.costs.empty()) return test::matrix_kernel(some.costs, rows);
  KernelOptions kernel{some.kernel, SquaredEuclidean{}};
  if (some.support.mesh() == nullptr) return kernel;
  kernel.along_surface = true;
  if (some.kernel == "geodesic") kernel.type = "auto";
  kernel.radius = some.radius;
  kernel.make_costs(some.support, rows);
  return kernel;
}

LossSettings loss_settings(const std::string& name, const Case& some, const OwnedRows& rows) {
  LossSettings settings;
  settings.name = name;
  settings.smoothing = 1e-2;
  settings.transport = test::transport_settings(some.epsilons.back(), 1e-10);
  settings.transport.kernel = kernel_of(some, rows);
  settings.transport.stopping.interruptible = false;
  return settings;
}

/// log of the rows of the measures that are owned: measures are divided along batches, rows along rows.
Field owned_logs(const Case& some, const ProcessGrid& processes) {
  const OwnedRows rows = own_rows(some.support, processes.along_rows());
  const Range mine = Partition(static_cast<Index>(some.measures.size()), 1, processes.shape().batches)
                         .block(processes.along_batches().rank());
  const Field log_weight = make_unset_field("test::log_weight", mine.size(), rows.local_n());
  for (Index k = 0; k < mine.size(); ++k) set_entry(log_weight, k, owned_values(some.measures[mine.begin + k], rows));
  take_log(log_weight);
  return log_weight;
}

/// L sweeps on every grid, the last of them at the eps of the case, or four times, 16 times as much.
BarycenterSweeps sweeps_through_grids(const Case& some, Index places, const ProcessGrid& processes) {
  const int count = count_levels(some.support, some.coarsest_side);
  SweepSettings settings;
  settings.kernel = kernel_of(some, own_rows(some.support, processes.along_rows()));
  settings.sweeps = static_cast<Index>(some.epsilons.size()) * count;
  settings.gradient = some.gradient;
  const Range mine = Partition(static_cast<Index>(some.measures.size()), 1, processes.shape().batches)
                         .block(processes.along_batches().rank());
  std::vector<SweepGrid> grids;
  for (Index k = mine.begin; k < mine.end; ++k) {
    const auto levels = make_measure_levels(some.support, some.measures[k], processes.along_rows(), count);
    for (std::size_t l = 0; l < levels.size(); ++l) {
      if (k == mine.begin)
        grids.push_back({levels[l].support, levels[l].rows,
                         make_unset_field("test::log_weight", mine.size(), levels[l].rows.local_n()),
                         some.epsilons.back() * std::exp2(2.0 * static_cast<Real>(l)), places});
      set_entry(grids[l].log_weight, k - mine.begin, levels[l].weights);
    }
  }
  for (const SweepGrid& grid : grids) take_log(grid.log_weight);
  return make_sweeps(settings, grids, processes.along_batches(), {});
}

CoordinateObjective objective_of(const Case& some, const std::string& loss, Index places,
                                 const ProcessGrid& processes) {
  const OwnedRows rows = own_rows(some.support, processes.along_rows());
  const auto log_weight = owned_logs(some, processes);
  BarycenterProblem problem{rows,          processes.along_batches(),
                            log_weight,    {},
                            some.debiased, make_kernel(kernel_of(some, rows), some.support, rows, some.support, rows)};
  problem.log_reference = log_reference_of(some.support, rows);
  const Reference q(problem.log_reference, some.support.points());
  BarycenterSweeps sweeps = some.through_grids() ? sweeps_through_grids(some, places, processes)
                                                 : BarycenterSweeps(problem, some.epsilons, places, {}, some.gradient);
  auto map_loss = make_map_loss(loss_settings(loss, some, rows), some.support, rows, q,
                                make_field("test::target", 1, owned_values(some.target, rows)));
  return {std::move(sweeps), std::move(map_loss)};
}

Case line(std::vector<Real> epsilons) {
  const Grid grid = make_grid({40}, {1.0});
  return {grid,
          {test::random_measure(40, 1, 0.4), test::random_measure(40, 2), test::random_measure(40, 3, 0.7)},
          test::random_measure(40, 4, 0.5),
          std::move(epsilons)};
}

Case image(std::vector<Real> epsilons, const std::string& kernel = "separable") {
  const Grid grid = make_grid({9, 12}, {1.0, 0.7});
  std::vector<Values> measures;
  for (unsigned k = 0; k < 4; ++k) measures.push_back(test::random_measure(108, k + 1, 0.5));
  return {grid, measures, test::random_measure(108, 9, 0.3), std::move(epsilons), kernel};
}

/// More entries than one rank owns a block of, where several divide them; fewer else.
Case words(std::vector<Real> epsilons, bool symmetric, Index n = 30) {
  std::vector<Values> measures;
  for (unsigned k = 0; k < 3; ++k) measures.push_back(test::random_measure(n, k + 1, 0.5));
  return {IndexSet{n}, measures, test::random_measure(n, 9, 0.5), std::move(epsilons),
          {},          false,    test::random_costs(n, symmetric)};
}

/// Maps on a sphere of 42 or 162 vertices, squashed so that these have different areas; eps in squared mean edges.
Case sphere(std::vector<Real> epsilons, const std::string& kernel, int subdivisions = 1) {
  MeshData data = synthetic_surface("sphere?subdivisions=" + std::to_string(subdivisions));
  for (std::size_t c = 2; c < data.coordinates.size(); c += 3) data.coordinates[c] *= 0.6;
  const Mesh mesh = make_mesh(data);
  for (Real& epsilon : epsilons) epsilon *= mesh.mean_edge * mesh.mean_edge;
  std::vector<Values> measures;
  for (unsigned k = 0; k < 3; ++k) measures.push_back(test::random_measure(mesh.points(), k + 1, 0.5));
  return {mesh, measures, test::random_measure(mesh.points(), 9, 0.3), std::move(epsilons), kernel};
}

/// A map that is 0 but on the upper fifth of the sphere: much of the rest is farther than the radius from all of its mass.
Case within_radius(Case some, Real radius) {
  const Mesh& mesh = *some.support.mesh();
  for (Index v = 0; v < mesh.points(); ++v) {
    if ((*mesh.coordinates)[3 * v + 2] < 15.0) some.measures[0][v] = 0.0;
  }
  some.measures[0] = test::scaled_to_mass(some.measures[0], 1.0);
  some.radius = radius;
  return some;
}

const Values three{0.5, 0.2, 0.3};
const Values four{0.1, 0.4, 0.2, 0.3};
const std::vector<Real> falling{40.0, 20.0, 10.0, 5.0, 3.0, 3.0, 3.0, 3.0};
const std::vector<Real> falling_edges{8.0, 4.0, 2.0, 1.5, 1.5, 1.5};  // on surfaces
const std::vector<Real> falling_costs{4.0, 2.0, 1.0, 0.5, 0.5, 0.5};  // of matrices

Case through_grids(Case some, Index coarsest_side) {
  some.coarsest_side = coarsest_side;
  return some;
}

Case debiased(Case some) {
  some.debiased = true;
  return some;
}

/// With as many sweeps as it takes to come to their end.
Case implicit(Case some, Real epsilon) {
  some.gradient = SweepGradient::implicit;
  some.epsilons.assign(150, epsilon);
  return some;
}

/// Largest |G.d - difference quotient| over the directions e_k - e_0, relative to the largest |G.d|.
Real error_of_gradient(CoordinateObjective& objective, const Values& lambda, Real step) {
  Values gradient;
  objective.evaluate(lambda, gradient);
  Real error = 0.0;
  Real largest = 0.0;
  for (std::size_t k = 1; k < lambda.size(); ++k) {
    const auto at = [&](Real h) {
      Values moved = lambda;
      moved[k] += h;
      moved[0] -= h;
      return objective.value(moved);
    };
    // fourth order, so that the step may be large
    const Real quotient = (8.0 * (at(step) - at(-step)) - (at(2.0 * step) - at(-2.0 * step))) / (12.0 * step);
    error = std::max(error, std::abs(gradient[k] - gradient[0] - quotient));
    largest = std::max(largest, std::abs(gradient[k] - gradient[0]));
  }
  return error / largest;
}

const ProcessGrid& alone() {
  static const ProcessGrid grid(test::alone(), {1, 1});
  return grid;
}

void expect_gradient(const Case& some, const Values& lambda, const std::string& loss, Index places) {
  CoordinateObjective objective = objective_of(some, loss, places, alone());
  EXPECT_LT(error_of_gradient(objective, lambda, 3e-4), 1e-6)
      << loss << ", " << some.describe() << ", " << places << " held";
}

/// Relative to b where it is positive; and some points of weight 0 get weight, unless sweeps begin at so small an eps that weights
/// of 1e-100 are felt where no others are near.
Values direction_of(const Case& some, Index k) {
  const bool from_zero = some.epsilons[0] > 3.0;
  Values d = test::random_measure(static_cast<int>(some.measures[k].size()), 20 + static_cast<unsigned>(k));
  for (std::size_t j = 0; j < d.size(); ++j) {
    d[j] = d[j] * static_cast<Real>(d.size()) - 1.0;
    if (some.measures[k][j] > 0.0)
      d[j] *= some.measures[k][j];
    else
      d[j] = from_zero && j % 3 == 0 ? 1e-3 * std::abs(d[j]) : 0.0;
  }
  return d;
}

/// Largest |A_k.d_k - difference quotient|, relative to the largest |A_k.d_k|. One-sided, of fourth order, since b >= 0.
Real error_of_slope(const Case& some, const Values& lambda, const std::string& loss, Index places, Real step) {
  CoordinateObjective objective = objective_of(some, loss, places, alone());
  const Index measures = static_cast<Index>(some.measures.size());
  const Index n = some.support.points();
  const Field slope = make_unset_field("test::slope", measures, n);
  Values unused;
  objective.evaluate(lambda, unused, slope);
  const Values found = host_values(slope);
  Real error = 0.0;
  Real largest = 0.0;
  for (Index k = 0; k < measures; ++k) {
    const Values d = direction_of(some, k);
    Real expected = 0.0;
    for (Index j = 0; j < n; ++j) expected += found[k * n + j] * d[j];
    const auto at = [&](Real h) {
      Case moved = some;
      for (Index j = 0; j < n; ++j) moved.measures[k][j] += h * d[j];
      objective.set_log_weights(owned_logs(moved, alone()));
      return objective.value(lambda);
    };
    const Real quotient =
        (-25.0 * at(0.0) + 48.0 * at(step) - 36.0 * at(2.0 * step) + 16.0 * at(3.0 * step) - 3.0 * at(4.0 * step)) /
        (12.0 * step);
    error = std::max(error, std::abs(expected - quotient));
    largest = std::max(largest, std::abs(expected));
  }
  return error / largest;
}

/// Supports and kernels, plain and debiased, each with weights.
std::vector<std::pair<Case, Values>> every_kind() {
  return {{line(falling), three},
          {line({3.0, 3.0, 3.0}), three},
          {debiased(line(falling)), three},
          {debiased(image(falling)), four},
          {image(falling), four},
          {image({4.0, 2.0}, "dense"), four},
          {words(falling_costs, true), three},
          {debiased(words(falling_costs, true)), three},
          {words(falling_costs, false), three},
          {debiased(words(falling_costs, false)), three},
          {sphere(falling_edges, "heat"), three},
          {debiased(sphere(falling_edges, "heat")), three},
          {sphere(falling_edges, "geodesic"), three}};
}

TEST(CoordinateGradient, IsThatOfCentralDifferencesForEveryPointwiseLoss) {
  auto cases = every_kind();
  cases.emplace_back(line({2.0}), three);
  for (const auto& [some, lambda] : cases) {
    for (const char* loss : {"quadratic", "l1", "kl"}) {
      for (const Index places : {Index{3}, Index{5}, static_cast<Index>(some.epsilons.size())})
        expect_gradient(some, lambda, loss, places);
    }
  }
}

TEST(CoordinateGradient, IsThatOfCentralDifferencesForTransportLosses) {
  for (const char* loss : {"wasserstein", "wasserstein_plain"}) {
    expect_gradient(line({12.0, 6.0, 6.0, 6.0}), three, loss, 4);
    expect_gradient(image({12.0, 6.0, 6.0, 6.0}), four, loss, 3);
    expect_gradient(debiased(image({12.0, 6.0, 6.0, 6.0})), four, loss, 4);
    expect_gradient(words(falling_costs, true), three, loss, 3);
    expect_gradient(words(falling_costs, false), three, loss, 6);
    expect_gradient(sphere({6.0, 3.0, 3.0}, "heat"), three, loss, 3);
    expect_gradient(debiased(sphere({6.0, 3.0, 3.0}, "heat")), three, loss, 3);
    expect_gradient(sphere({6.0, 3.0, 3.0}, "geodesic"), three, loss, 3);
    expect_gradient(through_grids(line({6.0, 6.0, 6.0, 6.0}), 10), three, loss, 3);
    expect_gradient(through_grids(image({6.0, 6.0, 6.0, 6.0}), 6), four, loss, 4);
  }
}

TEST(CoordinateGradient, GoesThroughCoarserGrids) {
  const std::vector<Real> few(5, 2.0);
  const Grid volume = make_grid({5, 6, 4}, {1.0, 0.8, 1.0});
  const Case heads{volume,
                   {test::random_measure(120, 1, 0.4), test::random_measure(120, 2), test::random_measure(120, 3, 0.5)},
                   test::random_measure(120, 4, 0.3),
                   few};
  for (const auto& [some, lambda] : {std::pair{through_grids(line(few), 10), three},
                                     {through_grids(image(few), 6), four},
                                     {through_grids(image(few), 3), four},
                                     {through_grids(image(few, "dense"), 6), four},
                                     {through_grids(heads, 3), three}}) {
    for (const char* loss : {"quadratic", "l1", "kl"}) {
      for (const Index places : {3, 5}) expect_gradient(some, lambda, loss, places);
    }
  }
}

TEST(CoordinateGradient, OfTheEndOfSweepsIsThatOfDifferencesFromOneState) {
  for (const auto& [some, lambda] : {std::pair{implicit(line({}), 60.0), three},
                                     {implicit(debiased(words({}, true)), 0.2), three},
                                     {implicit(image({}), 8.0), four},
                                     {implicit(words({}, false), 1.0), three},
                                     {implicit(sphere({}, "heat"), 3000.0), three}}) {
    for (const char* loss : {"quadratic", "kl"}) {
      expect_gradient(some, lambda, loss, 1);
      EXPECT_LT(error_of_slope(some, lambda, loss, 1, 1e-3), 1e-6) << loss << ", " << some.describe();
    }
  }
}

TEST(CoordinateGradient, HoldsWhereARadiusEndsBeforeAVertex) {
  const Case some = within_radius(sphere({6.0, 3.0, 3.0}, "geodesic", 2), 60.0);
  for (const char* loss : {"quadratic", "l1"}) expect_gradient(some, three, loss, 3);
  CoordinateObjective objective = objective_of(some, "quadratic", 3, alone());
  (void)objective.value(three);
  const Values log_map = host_values(objective.log_map());
  EXPECT_LT(*std::min_element(log_map.begin(), log_map.end()), -1e4);  // no mass there
  EXPECT_GT(*std::max_element(log_map.begin(), log_map.end()), -10.0);
}

TEST(CoordinateGradient, HoldsAtWeightsOfZero) {
  CoordinateObjective objective = objective_of(line(falling), "quadratic", 4, alone());
  Values at_zero;
  Values inside;
  objective.evaluate({0.6, 0.4, 0.0}, at_zero);
  const Real step = 1e-4;
  Values unused;
  const auto at = [&](Real h) { return objective.evaluate({0.6 - h, 0.4, h}, unused); };
  const Real quotient = (-3.0 * at(0.0) + 4.0 * at(step) - at(2.0 * step)) / (2.0 * step);  // one-sided
  EXPECT_NEAR(at_zero[2] - at_zero[0], quotient, 1e-5 * std::abs(quotient));
}

TEST(AtomGradient, IsThatOfDifferencesForEveryPointwiseLoss) {
  auto cases = every_kind();
  cases.emplace_back(line({40.0}), three);
  cases.emplace_back(line(falling), Values{0.6, 0.0, 0.4});
  for (const auto& [some, lambda] : cases) {
    for (const char* loss : {"quadratic", "l1", "kl"}) {
      for (const Index places : {Index{3}, static_cast<Index>(some.epsilons.size())}) {
        EXPECT_LT(error_of_slope(some, lambda, loss, places, 1e-3), 1e-6)
            << loss << ", " << some.describe() << ", " << places << " held";
      }
    }
  }
}

TEST(AtomGradient, IsThatOfDifferencesForTransportLosses) {
  for (const char* loss : {"wasserstein", "wasserstein_plain"}) {
    EXPECT_LT(error_of_slope(line({12.0, 6.0, 6.0, 6.0}), three, loss, 4, 1e-3), 1e-6) << loss;
    EXPECT_LT(error_of_slope(image({12.0, 6.0, 6.0, 6.0}), four, loss, 3, 1e-3), 1e-6) << loss;
    EXPECT_LT(error_of_slope(words(falling_costs, true), three, loss, 3, 1e-3), 1e-6) << loss;
    EXPECT_LT(error_of_slope(words(falling_costs, false), three, loss, 6, 1e-3), 1e-6) << loss;
    EXPECT_LT(error_of_slope(sphere({6.0, 3.0, 3.0}, "heat"), three, loss, 3, 1e-3), 1e-6) << loss;
    EXPECT_LT(error_of_slope(sphere({6.0, 3.0, 3.0}, "geodesic"), three, loss, 3, 1e-3), 1e-6) << loss;
  }
}

/// The barycenter does not feel the mass of a measure.
TEST(AtomGradient, IsZeroAlongTheMassOfAMeasure) {
  const Case some = debiased(image(falling));
  CoordinateObjective objective = objective_of(some, "quadratic", 4, alone());
  const Field slope = make_unset_field("test::slope", 4, 108);
  Values unused;
  objective.evaluate(four, unused, slope);
  for (Index k = 0; k < 4; ++k) {
    Real along = 0.0;
    Real size = 0.0;
    for (Index j = 0; j < 108; ++j) {
      along += slope(k, j) * some.measures[k][j];
      size += std::abs(slope(k, j)) * some.measures[k][j];
    }
    EXPECT_LT(std::abs(along), 1e-12 * size);
  }
}

TEST(AtomGradient, IsTheSameOnAnyNumberOfRanks) {
  const Communicator world = Communicator::world();
  for (const Case& some : {line(falling), debiased(image(falling)), words(falling_costs, false, 150),
                           debiased(sphere({6.0, 3.0, 3.0}, "heat", 2)), implicit(line({}), 8.0)}) {
    const Index measures = static_cast<Index>(some.measures.size());
    const Values& lambda = measures == 3 ? three : four;
    const Index n = some.support.points();
    for (const ProcessGridShape shape : {ProcessGridShape{world.size(), 1}, ProcessGridShape{1, world.size()}}) {
      const ProcessGrid processes(world, shape);
      const OwnedRows rows = own_rows(some.support, processes.along_rows());
      const Range mine = Partition(measures, 1, shape.batches).block(processes.along_batches().rank());
      for (const std::string& loss : LossSettings::names()) {
        Values unused;
        const Field single = make_unset_field("test::slope", measures, n);
        objective_of(some, loss, 8, alone()).evaluate(lambda, unused, single);
        const Field together = make_unset_field("test::slope", mine.size(), rows.local_n());
        CoordinateObjective objective = objective_of(some, loss, 3, processes);
        objective.evaluate(lambda, unused, together);
        Real largest = 0.0;
        Real difference = 0.0;
        for (const Real a : host_values(single)) largest = std::max(largest, std::abs(a));
        for (Index k = 0; k < mine.size(); ++k) {
          for (Index j = 0; j < rows.local_n(); ++j) {
            const Real expected = single(mine.begin + k, rows.range().begin + j);
            difference = std::max(difference, std::abs(together(k, j) - expected));
          }
        }
        EXPECT_LT(difference, 1e-10 * largest) << loss;
      }
    }
  }
}

/// In one dimension with all ranks along rows and all along batches.
TEST(CoordinateGradient, IsTheSameOnAnyNumberOfRanks) {
  const Communicator world = Communicator::world();
  for (const Case& some : {line(falling), image(falling), debiased(image(falling)), words(falling_costs, false, 150),
                           debiased(words(falling_costs, true, 150)), debiased(sphere({6.0, 3.0, 3.0}, "heat", 2)),
                           sphere({6.0, 3.0, 3.0}, "geodesic", 2), implicit(image({}), 8.0),
                           through_grids(line({3.0, 3.0, 3.0}), 10), through_grids(image({3.0, 3.0, 3.0}), 3)}) {
    const Values& lambda = some.measures.size() == 3 ? three : four;
    for (const ProcessGridShape shape : {ProcessGridShape{world.size(), 1}, ProcessGridShape{1, world.size()}}) {
      const ProcessGrid processes(world, shape);
      for (const std::string& loss : LossSettings::names()) {
        Values single;
        Values together;
        const Real expected = objective_of(some, loss, 8, alone()).evaluate(lambda, single);
        CoordinateObjective objective = objective_of(some, loss, 3, processes);
        const Real value = objective.evaluate(lambda, together);
        EXPECT_NEAR(value, expected, 1e-10 * std::abs(expected)) << loss;
        const Real scale =
            *std::max_element(single.begin(), single.end()) - *std::min_element(single.begin(), single.end());
        EXPECT_LT(reference::largest_difference(together, single), 1e-10 * scale) << loss;
      }
    }
  }
}

/// The least number of steps that reverses l steps from c states held [Griewank, Walther 2000].
Index binomial_cost(Index steps, Index held) {
  const auto binomial = [](Index n, Index k) {
    Index value = 1;
    for (Index i = 1; i <= k; ++i) value = value * (n - k + i) / i;
    return value;
  };
  Index r = 0;
  while (binomial(held + r, r) < steps) ++r;
  return r * steps - (r > 0 ? binomial(held + r, r - 1) : 0);
}

TEST(SweepRecall, TakesAsFewSweepsAsBinomialCheckpointing) {
  for (const Index states : {1, 2, 3, 4, 7, 20, 50, 100}) {
    for (Index places = SweepRecall::fewest(states); places <= states; ++places) {
      const Index between = states > 2 ? binomial_cost(states - 1, places - 2) : 0;
      EXPECT_EQ(SweepRecall(states, places).sweeps(), std::min<Index>(states, 2) + between) << states << " " << places;
    }
    EXPECT_EQ(SweepRecall(states, states).sweeps(), states);
  }
}

TEST(SweepRecall, ForetellsTheSweepsThatAreMade) {
  for (const Index places : {3, 4, 6, 8}) {
    Index made = 0;
    const Case some = line(falling);
    const OwnedRows rows = own_rows(some.support, test::alone());
    const Field log_weight = make_field("test::log_weight", 1, some.measures[1]);
    take_log(log_weight);
    BarycenterSweeps sweeps({rows,
                             test::alone(),
                             log_weight,
                             {},
                             false,
                             make_kernel({some.kernel, SquaredEuclidean{}}, some.support, rows, some.support, rows)},
                            some.epsilons, places, [&] { ++made; });
    sweeps.forward({1.0});
    sweeps.reverse(make_field("test::slope", 1, 40));
    EXPECT_EQ(made, sweeps.sweeps() + sweeps.states() - 1);  // and those back
  }
}

}  // namespace
}  // namespace hpot
