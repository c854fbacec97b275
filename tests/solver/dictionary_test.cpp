// The gradient of a dictionary's loss against differences, the same bits however maps are divided, and the descents.
#include "hpot/solver/dictionary.hpp"

#include "hpot/measure/synthetic_surface.hpp"
#include "hpot/solver/adam.hpp"
#include "transport.hpp"

#include <gtest/gtest.h>

#include <numeric>

namespace hpot {
namespace {

using test::Values;

constexpr Index atoms = 2;
constexpr Index maps = 5;

DictionarySettings settings_of(const std::string& loss, bool debiased = false) {
  DictionarySettings settings;
  settings.kernel = {"separable", SquaredEuclidean{}};
  settings.epsilon = {4.0, "cost"};
  settings.sweeps = 6;
  settings.places = 4;
  settings.atoms = atoms;
  settings.debiased = debiased;
  settings.loss = loss;
  settings.smoothing = 1e-2;
  settings.loss_tolerance = 1e-9;
  settings.memory = 3;
  settings.stopping.max_iterations = 12;
  settings.stopping.tolerance = 1e-9;
  return settings;
}

std::vector<Values> maps_on(const Support& support) {
  std::vector<Values> all;
  for (unsigned n = 0; n < maps; ++n) all.push_back(test::random_measure(support.points(), n + 1, 0.3));
  return all;
}

/// The maps of this rank's share, as solve_dictionary takes them.
std::vector<Values> share_of(const std::vector<Values>& all, const ProcessGrid& processes) {
  const Range mine = Partition(maps, 1, processes.shape().batches).block(processes.along_batches().rank());
  return {all.begin() + mine.begin, all.begin() + mine.end};
}

/// With the owned rows of the costs of an index set, at an eps that is to them what that of the others is to a grid's; of a surface
/// heat where `symmetric`, else geodesic costs.
DictionarySettings on(const Support& support, DictionarySettings settings, const ProcessGrid& processes,
                      bool symmetric) {
  if (const Mesh* mesh = support.mesh(); mesh != nullptr) {
    settings.kernel.type = symmetric ? "heat" : "auto";
    settings.kernel.along_surface = true;
    settings.kernel.make_costs(support, own_rows(support, processes.along_rows()));
    settings.epsilon.target = 2.0 * mesh->mean_edge * mesh->mean_edge;
    return settings;
  }
  if (support.dimension() > 0) return settings;
  settings.kernel =
      test::matrix_kernel(test::random_costs(support.points(), symmetric), own_rows(support, processes.along_rows()));
  settings.epsilon.target = 0.5;
  return settings;
}

DictionaryObjective objective_of(const Support& support, const DictionarySettings& given, const ProcessGrid& processes,
                                 bool symmetric = true) {
  const OwnedRows rows = own_rows(support, processes.along_rows());
  const DictionarySettings settings = on(support, given, processes, symmetric);
  const std::vector<Values> mine = share_of(maps_on(support), processes);
  const Field field = make_unset_field("test::maps", static_cast<Index>(mine.size()), rows.local_n());
  for (std::size_t n = 0; n < mine.size(); ++n) set_entry(field, static_cast<Index>(n), owned_values(mine[n], rows));
  return {processes, settings, support, field, atoms, settings.epsilon.target, [] {}};
}

Values point_on(const Support& support) {
  Values point;
  for (unsigned k = 0; k < atoms; ++k) {
    const Values atom = test::random_measure(support.points(), 20 + k, 0.2);
    point.insert(point.end(), atom.begin(), atom.end());
  }
  for (Index n = 0; n < maps; ++n) {
    const Real first = 0.15 + 0.15 * static_cast<Real>(n);
    point.insert(point.end(), {first, 1.0 - first});
  }
  return point;
}

const ProcessGrid& alone() {
  static const ProcessGrid grid(test::alone(), {1, 1});
  return grid;
}

const std::vector<Index> every{0, 1, 2, 3, 4};

/// A direction that keeps every simplex: atoms by a relative change, weights against one another.
Values direction_on(const Support& support, unsigned seed) {
  Values d = point_on(support);
  const Values random = reference::random_values(static_cast<Index>(d.size()), seed, -1.0, 1.0);
  const Index atom_values = atoms * support.points();
  for (Index i = 0; i < atom_values; ++i) d[i] *= random[i];
  for (Index n = 0; n < maps; ++n) {
    d[atom_values + 2 * n] = 0.1 * random[atom_values + n];
    d[atom_values + 2 * n + 1] = -d[atom_values + 2 * n];
  }
  return d;
}

TEST(DictionaryObjective, HasTheGradientOfCentralDifferences) {
  const std::vector<Support> supports{make_grid({24}, {1.0}), make_grid({7, 8}, {1.0, 0.8}), IndexSet{30},
                                      IndexSet{31}};
  for (const Support& support : supports) {
    for (const std::string& loss : LossSettings::names()) {
      for (const std::vector<Index>& some : {every, std::vector<Index>{3, 1}}) {
        DictionaryObjective objective =
            objective_of(support, settings_of(loss, support.dimension() == 2), alone(), support.points() != 31);
        const Values point = point_on(support);
        Values slope;
        Values unused;
        objective.evaluate(point, some, slope);
        for (const unsigned seed : {5U, 6U}) {
          const Values d = direction_on(support, seed);
          const auto at = [&](Real h) {
            Values moved = point;
            for (std::size_t i = 0; i < moved.size(); ++i) moved[i] += h * d[i];
            return objective.evaluate(moved, some, unused);
          };
          const Real h = 1e-3;
          const Real quotient = (8.0 * (at(h) - at(-h)) - (at(2.0 * h) - at(-2.0 * h))) / (12.0 * h);
          const Real found = std::inner_product(d.begin(), d.end(), slope.begin(), 0.0);
          EXPECT_NEAR(found, quotient, 1e-6 * std::abs(quotient)) << loss << " " << support.describe();
        }
      }
    }
  }
}

TEST(DictionaryObjective, HasTheGradientOfCentralDifferencesOnASurface) {
  const Support support = make_mesh(synthetic_surface("sphere?subdivisions=1"));
  for (const bool heat : {true, false}) {
    for (const std::string& loss : LossSettings::names()) {
      DictionaryObjective objective = objective_of(support, settings_of(loss), alone(), heat);
      const Values point = point_on(support);
      Values slope;
      Values unused;
      objective.evaluate(point, {3, 1}, slope);
      const Values d = direction_on(support, 5);
      const auto at = [&](Real h) {
        Values moved = point;
        for (std::size_t i = 0; i < moved.size(); ++i) moved[i] += h * d[i];
        return objective.evaluate(moved, {3, 1}, unused);
      };
      const Real h = 1e-3;
      const Real quotient = (8.0 * (at(h) - at(-h)) - (at(2.0 * h) - at(-2.0 * h))) / (12.0 * h);
      const Real found = std::inner_product(d.begin(), d.end(), slope.begin(), 0.0);
      EXPECT_NEAR(found, quotient, 1e-6 * std::abs(quotient)) << loss << (heat ? ", heat" : ", geodesic");
    }
  }
}

/// Two spheres: p has on each the weighted geometric mean of the atoms' masses there, scaled.
TEST(DictionaryObjective, GivesComponentsTheGeometricMeanOfMasses) {
  MeshData one = synthetic_surface("sphere?subdivisions=1");
  const Mesh mesh = make_mesh(joined({one, one}));
  ASSERT_EQ(mesh.components, 2);
  DictionarySettings settings = on(mesh, settings_of("quadratic"), alone(), true);
  settings.sweeps = settings.places = 60;
  const OwnedRows rows = own_rows(mesh, test::alone());
  const Real first[] = {0.8, 0.3};
  const Field log_atoms = make_unset_field("test::log_atoms", atoms, mesh.points());
  for (Index k = 0; k < atoms; ++k) {
    Values atom = test::random_measure(mesh.points(), static_cast<unsigned>(k), 0.2);
    for (const Index c : {0, 1}) {
      Real sum = 0.0;
      for (Index v = 0; v < mesh.points(); ++v) sum += (*mesh.component)[v] == c ? atom[v] : 0.0;
      for (Index v = 0; v < mesh.points(); ++v)
        if ((*mesh.component)[v] == c) atom[v] *= (c == 0 ? first[k] : 1.0 - first[k]) / sum;
    }
    set_entry(log_atoms, k, atom);
  }
  take_log(log_atoms);
  BarycenterSweeps sweeps = make_sweeps(settings, {{mesh, rows, log_atoms, settings.epsilon.target, settings.places}},
                                        test::alone(), nullptr);
  const Values log_p = host_values(sweeps.forward({0.6, 0.4}));
  Real mass = 0.0;
  for (Index v = 0; v < mesh.points(); ++v) mass += (*mesh.component)[v] == 0 ? std::exp(log_p[v]) : 0.0;
  const Real here = std::pow(0.8, 0.6) * std::pow(0.3, 0.4), there = std::pow(0.2, 0.6) * std::pow(0.7, 0.4);
  EXPECT_NEAR(mass, here / (here + there), 1e-6);
}

TEST(DictionaryObjective, IsTheMeanOfTheLossesOfItsMaps) {
  const Support support = make_grid({24}, {1.0});
  DictionaryObjective objective = objective_of(support, settings_of("kl"), alone());
  Values unused;
  const Values losses = objective.losses(point_on(support));
  EXPECT_NEAR(objective.evaluate(point_on(support), {4, 0}, unused), 0.5 * (losses[0] + losses[4]), 1e-15);
}

/// To the bit where maps are divided; to rounding where rows are.
void expect_same_on_any_ranks(const Support& support) {
  const Communicator world = Communicator::world();
  for (const std::string& loss : LossSettings::names()) {
    Values single;
    const Real expected = objective_of(support, settings_of(loss), alone()).evaluate(point_on(support), every, single);
    Values together;
    const Real by_maps = objective_of(support, settings_of(loss), ProcessGrid(world, {1, world.size()}))
                             .evaluate(point_on(support), every, together);
    EXPECT_EQ(by_maps, expected) << loss;
    EXPECT_EQ(together, single) << loss;
    const Real by_rows = objective_of(support, settings_of(loss), ProcessGrid(world, {world.size(), 1}))
                             .evaluate(point_on(support), every, together);
    EXPECT_NEAR(by_rows, expected, 1e-10 * expected) << loss;
    const auto larger = [](Real a, Real b) { return std::abs(a) < std::abs(b); };
    const Real scale = std::abs(*std::max_element(single.begin(), single.end(), larger));
    EXPECT_LT(reference::largest_difference(together, single), 1e-10 * scale) << loss;
  }
}

TEST(DictionaryObjective, IsTheSameOnAnyNumberOfRanks) {
  expect_same_on_any_ranks(make_grid({9, 8}, {1.0, 1.0}));
  expect_same_on_any_ranks(IndexSet{150});
  expect_same_on_any_ranks(make_mesh(synthetic_surface("sphere?subdivisions=1")));
}

TEST(SweepSettings, KnowWhichCostsAreSymmetric) {
  const Communicator world = Communicator::world();
  const ProcessGrid processes(world, {world.size(), 1});
  const Support support = IndexSet{150};
  const OwnedRows rows = own_rows(support, processes.along_rows());
  const DictionarySettings symmetric = on(support, settings_of("wasserstein"), processes, true);
  EXPECT_NO_THROW(symmetric.check_matrix(support, rows));
  DictionarySettings settings = on(support, settings_of("wasserstein"), processes, false);
  EXPECT_THROW(settings.check_matrix(support, rows), InputError);
  settings.loss = "wasserstein_plain";
  EXPECT_NO_THROW(settings.check_matrix(support, rows));
  settings.debiased = true;
  EXPECT_THROW(settings.check_matrix(support, rows), InputError);
  std::vector<Values> costs = test::random_costs(150, true);
  costs[140][3] *= 1.0 + 1e-6;  // one entry
  settings.kernel = test::matrix_kernel(costs, rows);
  EXPECT_THROW(settings.check_matrix(support, rows), InputError);
}

/// Terms of very different size, in two orders and divided.
TEST(OrderlessSum, HasTheSameBitsInAnyOrderAndOnAnyNumberOfRanks) {
  const Communicator world = Communicator::world();
  constexpr Index terms = 60;
  constexpr Index n = 50;
  const auto term = [&](Index t) {
    Values values = reference::random_values(n, 100 + static_cast<unsigned>(t), -1.0, 1.0);
    for (Real& v : values) v *= std::exp2(static_cast<Real>(t % 40));
    return make_field("test::term", 1, values);
  };
  const Field first = make_field("test::total", 1, n);
  OrderlessSum forwards(1, n);
  for (Index t = 0; t < terms; ++t) forwards.add(term(t));
  forwards.total(test::alone(), first);
  const Field second = make_field("test::total", 1, n);
  OrderlessSum divided(1, n);
  for (Index t = terms - 1 - world.rank(); t >= 0; t -= world.size()) divided.add(term(t));
  divided.total(world, second);
  EXPECT_EQ(host_values(first), host_values(second));
  std::vector<long double> exact(n, 0.0L);
  for (Index t = 0; t < terms; ++t) {
    const Values values = host_values(term(t));
    for (Index i = 0; i < n; ++i) exact[i] += values[i];
  }
  for (Index i = 0; i < n; ++i) EXPECT_NEAR(first(0, i), static_cast<Real>(exact[i]), 2e-16 * std::exp2(39.0));
}

DictionarySolution solution_of(const DictionarySettings& settings, const ProcessGrid& processes) {
  const Support support = make_grid({9, 8}, {1.0, 1.0});
  return solve_dictionary(processes, settings, {support, share_of(maps_on(support), processes), {}},
                          [](const FitStep&) {});
}

TEST(Dictionary, LossFallsWithEveryStepAndBeyondTheRoundsOfItsRecord) {
  DictionarySettings settings = settings_of("quadratic");
  settings.stopping.max_iterations = 60;  // rounds are of 18 evaluations
  const DictionarySolution solution = solution_of(settings, alone());
  EXPECT_EQ(solution.outcome.iterations, 60);
  for (std::size_t i = 1; i < solution.history.size(); ++i) EXPECT_LT(solution.history[i], solution.history[i - 1]);
  EXPECT_NEAR(std::accumulate(solution.losses.begin(), solution.losses.end(), 0.0) / maps, solution.history.back(),
              1e-15);
}

TEST(Dictionary, HasTheSameBitsHoweverMapsAreDivided) {
  const Communicator world = Communicator::world();
  for (const Index batch : {Index{0}, Index{2}}) {
    DictionarySettings settings = settings_of("quadratic");
    settings.batch = batch;
    const DictionarySolution single = solution_of(settings, alone());
    const DictionarySolution together = solution_of(settings, ProcessGrid(world, {1, world.size()}));
    EXPECT_EQ(together.atoms, single.atoms);
    EXPECT_EQ(together.weights, single.weights);
    EXPECT_EQ(together.history, single.history);
  }
}

TEST(Adam, FirstStepHasTheLengthOfTheRateAndBlocksMoveAlone) {
  Adam adam({2, 1});
  Values theta{1.0, 2.0, 3.0};
  adam.move(0, 0.1, {5.0, -1e-3, 7.0}, theta);
  EXPECT_NEAR(theta[0], 0.9, 1e-8);
  EXPECT_NEAR(theta[1], 2.1, 1e-5);
  EXPECT_EQ(theta[2], 3.0);
}

TEST(Adam, ComesToTheMinimumOfAQuadraticFunction) {
  Adam adam({2});
  Values theta{1.0, -2.0};
  for (int step = 1; step < 4000; ++step)
    adam.move(0, 0.1 / std::sqrt(step), {theta[0] - 0.3, 100.0 * (theta[1] - 0.7)}, theta);
  EXPECT_NEAR(theta[0], 0.3, 1e-6);
  EXPECT_NEAR(theta[1], 0.7, 1e-6);
}

}  // namespace
}  // namespace hpot
