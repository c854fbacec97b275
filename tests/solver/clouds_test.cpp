// Transport between clouds of points: against grids, an exact solver, and itself on other ranks and in other orders.
#include "hpot/measure/synthetic_points.hpp"
#include "transport.hpp"

#include <gtest/gtest.h>
#include <lemon/network_simplex.h>
#include <lemon/smart_graph.h>

namespace hpot {
namespace {

using test::Values;

PointCloud cloud_of(const Grid& grid) {
  Values coordinates;
  for (const Values& point : reference::points_of(grid))
    coordinates.insert(coordinates.end(), point.begin(), point.end());
  return make_cloud(grid.dimension(), coordinates);
}

TransportSettings cloud_settings(Real epsilon, Real tolerance, const std::string& penalty = "balanced") {
  TransportSettings settings = test::transport_settings(epsilon, tolerance, penalty);
  settings.kernel.type = "auto";
  return settings;
}

TEST(Clouds, OfGridPointsHaveTheGridsAnswer) {
  const Grid grid = make_grid({7, 6, 5}, {1.0, 1.5, 1.0});
  const PointCloud cloud = cloud_of(grid);
  const Values a = test::random_measure(grid.points(), 1, 0.3);
  const Values b = test::random_measure(grid.points(), 2, 0.3);
  for (const Cost& cost : {Cost(SquaredEuclidean{}), Cost(PowerAxes{1.5}), Cost(Euclidean{}), Cost(Power{3.0})}) {
    for (const char* penalty : {"balanced", "kl:4", "tv:3"}) {
      TransportSettings settings = cloud_settings(0.7, 1e-11, penalty);
      settings.kernel.cost = cost;
      const auto on_grid = test::solve_alone(settings, grid, a, b);
      const auto on_cloud = solve_transport(test::alone(), settings, {cloud, cloud, a, b}, {});
      const std::string what = name(cost) + " " + penalty;
      EXPECT_EQ(on_cloud.outcome.reason, StopReason::converged) << what;
      EXPECT_NEAR(on_cloud.values.transport_cost, on_grid.values.transport_cost, 1e-8 * on_grid.values.transport_cost)
          << what;
      EXPECT_NEAR(on_cloud.values.dual_cost, on_grid.values.dual_cost, 1e-9 * std::abs(on_grid.values.dual_cost))
          << what;
    }
  }
}

struct ExactProblem {
  Index sources, targets;
  int dimension;
  Values x, y;  // whole numbers
  std::vector<std::int64_t> a, b;
};

ExactProblem exact_problem(unsigned seed) {
  std::mt19937_64 engine(seed);
  const auto draw = [&](int low, int high) { return std::uniform_int_distribution<int>(low, high)(engine); };
  ExactProblem problem{draw(1, 60), draw(1, 60), draw(1, 4), {}, {}, {}, {}};
  const int box = draw(0, 3) == 0 ? 2 : 20;  // many points at one place
  for (Index i = 0; i < problem.sources * problem.dimension; ++i) problem.x.push_back(draw(0, box));
  for (Index j = 0; j < problem.targets * problem.dimension; ++j) problem.y.push_back(draw(0, box));
  for (Index i = 0; i < problem.sources; ++i) problem.a.push_back(i > 0 && draw(0, 3) == 0 ? 0 : draw(1, 50));
  for (Index j = 0; j < problem.targets; ++j) problem.b.push_back(j > 0 && draw(0, 3) == 0 ? 0 : draw(1, 50));
  return problem;
}

Real exact_cost(const ExactProblem& problem) {
  lemon::SmartDigraph graph;
  std::vector<lemon::SmartDigraph::Node> nodes;
  for (Index p = 0; p < problem.sources + problem.targets; ++p) nodes.push_back(graph.addNode());
  const std::int64_t sum_a = std::accumulate(problem.a.begin(), problem.a.end(), std::int64_t{0});
  const std::int64_t sum_b = std::accumulate(problem.b.begin(), problem.b.end(), std::int64_t{0});
  lemon::SmartDigraph::NodeMap<std::int64_t> supply(graph, 0);
  lemon::SmartDigraph::ArcMap<std::int64_t> cost(graph, 0);
  for (Index j = 0; j < problem.targets; ++j) supply[nodes[problem.sources + j]] = -problem.b[j] * sum_a;
  for (Index i = 0; i < problem.sources; ++i) {
    supply[nodes[i]] = problem.a[i] * sum_b;
    for (Index j = 0; j < problem.targets; ++j) {
      Real distance = 0.0;
      for (int d = 0; d < problem.dimension; ++d)
        distance += std::pow(problem.x[i * problem.dimension + d] - problem.y[j * problem.dimension + d], 2);
      cost[graph.addArc(nodes[i], nodes[problem.sources + j])] = std::llround(distance);
    }
  }
  lemon::NetworkSimplex<lemon::SmartDigraph, std::int64_t, std::int64_t> simplex(graph);
  simplex.supplyMap(supply).costMap(cost);
  if (simplex.run() != decltype(simplex)::OPTIMAL) throw std::logic_error("the exact problem has a solution");
  return static_cast<Real>(simplex.totalCost<long double>() / (static_cast<long double>(sum_a) * sum_b));
}

TEST(Clouds, IntervalsEncloseTheExactCost) {
  for (unsigned seed = 0; seed < 60; ++seed) {
    const ExactProblem problem = exact_problem(seed);
    const Real exact = exact_cost(problem);
    const Values a = test::scaled_to_mass(Values(problem.a.begin(), problem.a.end()), 1.0);
    const Values b = test::scaled_to_mass(Values(problem.b.begin(), problem.b.end()), 1.0);
    TransportSettings settings = cloud_settings(0.3, 1e-7);
    if (seed % 3 == 0) settings.stopping.max_iterations = 3;
    if (seed % 2 == 0) settings.kernel.type = "stored";
    const auto solution =
        solve_transport(test::alone(), settings,
                        {make_cloud(problem.dimension, problem.x), make_cloud(problem.dimension, problem.y), a, b}, {});
    EXPECT_LE(solution.values.lower_cost, exact) << seed;
    EXPECT_GE(solution.values.upper_cost, exact) << seed;
    if (seed % 3 != 0) {
      EXPECT_EQ(solution.outcome.reason, StopReason::converged) << seed;
      EXPECT_LE(solution.values.upper_cost - solution.values.lower_cost, 2.0) << seed;  // about eps log n and rounding
    }
  }
}

struct Pair {
  CloudData a, b;
};

Pair random_pair(const std::string& source, const std::string& target) {
  Pair pair{in_morton_order(synthetic_cloud(source, 0)), in_morton_order(synthetic_cloud(target, 1))};
  pair.a.values = test::scaled_to_mass(pair.a.values, 1.0);
  pair.b.values = test::scaled_to_mass(pair.b.values, 1.0);
  return pair;
}

TransportSolution solve_pair(const Communicator& ranks, const TransportSettings& settings, const Pair& pair) {
  return solve_transport(ranks, settings, {pair.a.cloud, pair.b.cloud, pair.a.values, pair.b.values}, {});
}

Values owned(const Values& all, const OwnedRows& rows) {
  return {all.begin() + rows.range().begin, all.begin() + rows.range().end};
}

/// Column sums are added over ranks: potentials agree to rounding, which mixing enlarges.
TEST(CloudsOnRanks, AgreeWithOneRank) {
  const Pair pair = random_pair("points?n=900&dim=3&weights=random&count=2", "points?n=700&dim=3&shape=sphere&count=2");
  for (const char* penalty : {"balanced", "kl:0.3"}) {
    for (const char* type : {"dense", "stored", "truncated"}) {
      TransportSettings settings = cloud_settings(0.003, 1e-6, penalty);
      settings.kernel.type = type;
      settings.schedule.smallest_side = 4;  // three levels
      const auto together = solve_pair(Communicator::world(), settings, pair);
      const auto single = solve_pair(test::alone(), settings, pair);
      constexpr Real allowed = 1e-10;
      const auto far = [](const Field& some, const Field& whole, const OwnedRows& rows) {
        return reference::largest_difference(host_values(some), owned(host_values(whole), rows));
      };
      EXPECT_LE(far(together.f, single.f, together.source_rows), allowed) << type;
      EXPECT_LE(far(together.g, single.g, together.target_rows), allowed) << type;
      EXPECT_EQ(together.outcome.iterations, single.outcome.iterations);
      EXPECT_NEAR(together.values.transport_cost, single.values.transport_cost, allowed);
      EXPECT_NEAR(together.values.lower_cost, single.values.lower_cost, allowed);
      EXPECT_NEAR(together.values.gap, single.values.gap, allowed);
      EXPECT_EQ(single.outcome.reason, StopReason::converged) << type << " " << penalty;
    }
  }
}

TEST(CloudsOnRanks, SmallerThanTheRanksAreSolved) {
  const Pair pair = random_pair("points?n=1&count=2", "points?n=3&count=2");
  const auto solution = solve_pair(Communicator::world(), cloud_settings(0.01, 1e-9), pair);
  EXPECT_EQ(solution.outcome.reason, StopReason::converged);
  Real cost = 0.0;  // all mass of the one point goes to each of the three
  for (Index j = 0; j < 3; ++j) {
    for (int d = 0; d < 2; ++d) cost += std::pow(pair.a.cloud.at(0, d) - pair.b.cloud.at(j, d), 2) / 3.0;
  }
  EXPECT_NEAR(solution.values.transport_cost, cost, 1e-12);
}

TEST(Clouds, LevelsLeadToTheAnswerOfTheGivenClouds) {
  const Pair pair =
      random_pair("points?n=1500&shape=clusters&count=2", "points?n=1200&shape=gaussian&weights=random&count=2");
  TransportSettings settings = cloud_settings(0.002, 1e-9);
  settings.schedule.smallest_side = 8;
  const auto levels = solve_pair(test::alone(), settings, pair);
  settings.schedule.multiscale = false;
  const auto flat = solve_pair(test::alone(), settings, pair);
  EXPECT_EQ(levels.outcome.reason, StopReason::converged);
  EXPECT_NEAR(levels.values.transport_cost, flat.values.transport_cost, 1e-8);
  EXPECT_NEAR(levels.values.dual_cost, flat.values.dual_cost, 1e-10);
}

/// Masses of heaps far apart are off by little where their potentials are off by many eps.
TEST(CloudsOnRanks, HeapsTakeFewSweepsWhereEachEpsilonIsSolvedWellEnough) {
  constexpr Real nine_spacings = 9.13546e-06;
  const Pair pair = random_pair("points?n=1500&shape=clusters&count=2", "points?n=1500&shape=clusters&count=2");
  TransportSettings settings = cloud_settings(nine_spacings, 1e-3);
  settings.acceleration.type = "anderson";
  settings.schedule.automatic = true;
  settings.stopping.max_iterations = 600;
  const auto good = solve_pair(Communicator::world(), settings, pair);
  EXPECT_EQ(good.outcome.reason, StopReason::converged);
  EXPECT_LE(good.values.residual_target, 1e-3);
  EXPECT_LE(good.values.dual_cost, good.values.primal_cost);
  settings.schedule.automatic = false;
  const auto hasty = solve_pair(Communicator::world(), settings, pair);
  EXPECT_EQ(hasty.outcome.reason, StopReason::max_iterations);
  EXPECT_LE(hasty.values.dual_cost, good.values.primal_cost);  // bounds of one number
  EXPECT_LE(good.values.dual_cost, hasty.values.primal_cost);
}

/// Every penalty and acceleration, on all ranks, at a cut that leaves out much and at the usual one.
TEST(CloudsOnRanks, TruncatedSumsHaveTheAnswerOfAllPairs) {
  const Pair pair = random_pair("points?n=400&dim=3&shape=clusters&count=2",
                                "points?n=300&dim=3&shape=sphere&weights=random&count=2");
  const char* accelerations[] = {"anderson", "momentum", "overrelaxation", "none"};
  int number = 0;
  for (const char* penalty : {"balanced", "kl:0.3", "tv:0.2", "range:0.8,1.3"}) {
    for (const Cost& cost : {Cost(SquaredEuclidean{}), Cost(Euclidean{})}) {
      TransportSettings settings = cloud_settings(0.02, 1e-6, penalty);
      settings.kernel.cost = cost;
      settings.kernel.type = "dense";
      settings.acceleration.type = accelerations[number++ % 4];
      const auto all = solve_pair(test::alone(), settings, pair);
      for (const Real cut : {1e-15, 1e-8}) {
        settings.kernel.type = "truncated";
        settings.kernel.window_cut = cut;
        const auto near = solve_pair(Communicator::world(), settings, pair);
        const std::string what = name(cost) + " " + penalty + " " + settings.acceleration.type;
        EXPECT_EQ(near.outcome.reason, StopReason::converged) << what;
        EXPECT_GE(near.values.residual_source, std::max(cut, 1e-12)) << what;  // what is left out is part of it
        EXPECT_LE(near.values.lower_cost, all.values.upper_cost) << what;
        EXPECT_GE(near.values.upper_cost, all.values.lower_cost) << what;
        EXPECT_LE(near.values.dual_cost, all.values.primal_cost) << what;
        EXPECT_GE(near.values.primal_cost, all.values.dual_cost) << what;
        EXPECT_NEAR(near.values.dual_cost, all.values.dual_cost, 1e-5) << what;
      }
    }
  }
}

}  // namespace
}  // namespace hpot
