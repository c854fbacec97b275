// Values and certificates against an exact solver (LEMON's network simplex, integer arithmetic) and published numbers.
#include "transport.hpp"

#include <gtest/gtest.h>
#include <lemon/network_simplex.h>
#include <lemon/smart_graph.h>

namespace hpot {
namespace {

using test::Values;
using Integers = std::vector<std::int64_t>;

struct ExactProblem {
  Grid grid;
  Integers a, b;  // proportional to the weights
};

/// A grid of 5 x 5 to 8 x 8 points, spacing 1; up to half of the cells empty.
ExactProblem exact_problem(unsigned seed) {
  std::mt19937_64 engine(seed);
  const auto draw = [&](int low, int high) { return std::uniform_int_distribution<int>(low, high)(engine); };
  const Index side = draw(5, 8);
  ExactProblem problem{make_grid({side, side}, {1.0, 1.0}), Integers(side * side), Integers(side * side)};
  const int emptiness = draw(0, 5);
  for (Integers* weights : {&problem.a, &problem.b}) {
    for (auto& weight : *weights) weight = draw(0, 9) < emptiness ? 0 : draw(1, 100);
    weights->front() += 1;
  }
  return problem;
}

Values normalised(const Integers& weights) { return test::scaled_to_mass(Values(weights.begin(), weights.end()), 1.0); }

/// min <P,C> for the squared Euclidean cost: supplies a * sum(b) and b * sum(a), all integers.
Real exact_cost(const ExactProblem& problem) {
  lemon::SmartDigraph graph;
  const Index n = problem.grid.points();
  const std::int64_t sum_a = std::accumulate(problem.a.begin(), problem.a.end(), std::int64_t{0});
  const std::int64_t sum_b = std::accumulate(problem.b.begin(), problem.b.end(), std::int64_t{0});
  std::vector<lemon::SmartDigraph::Node> nodes;
  for (Index p = 0; p < 2 * n; ++p) nodes.push_back(graph.addNode());
  lemon::SmartDigraph::NodeMap<std::int64_t> supply(graph, 0);
  lemon::SmartDigraph::ArcMap<std::int64_t> cost(graph, 0);
  const auto matrix = reference::cost_matrix(SquaredEuclidean{}, problem.grid, problem.grid);
  for (Index i = 0; i < n; ++i) {
    supply[nodes[i]] = problem.a[i] * sum_b;
    supply[nodes[n + i]] = -problem.b[i] * sum_a;
    for (Index j = 0; j < n; ++j) cost[graph.addArc(nodes[i], nodes[n + j])] = std::llround(matrix[i][j]);
  }
  lemon::NetworkSimplex<lemon::SmartDigraph, std::int64_t, std::int64_t> simplex(graph);
  simplex.supplyMap(supply).costMap(cost);
  if (simplex.run() != decltype(simplex)::OPTIMAL) throw std::logic_error("the exact problem has a solution");
  return static_cast<Real>(simplex.totalCost<long double>() / (static_cast<long double>(sum_a) * sum_b));
}

TEST(NetworkSimplex, ValuesBracketTheExactCostAndReachItAsEpsilonFalls) {
  for (unsigned seed = 0; seed < 40; ++seed) {
    const ExactProblem problem = exact_problem(seed);
    const Values a = normalised(problem.a);
    const Values b = normalised(problem.b);
    const Real exact = exact_cost(problem);
    const Real entropy = std::min(test::entropy_of(a), test::entropy_of(b));
    const Real farthest = 2.0 * std::pow(static_cast<Real>(problem.grid.axes[0].n - 1), 2);
    constexpr Real tolerance = 1e-8;
    Real last = infinity;
    for (const Real epsilon : {16.0, 1.0, 0.1}) {
      const auto solution = test::solve_alone(test::transport_settings(epsilon, tolerance), problem.grid, a, b);
      const TransportValues& values = solution.values;
      EXPECT_EQ(solution.outcome.reason, StopReason::converged) << "problem " << seed << " eps " << epsilon;
      EXPECT_LE(values.dual_cost, exact + epsilon * entropy);
      EXPECT_GE(values.dual_cost, exact - tolerance * farthest);  // OT_eps >= OT_0
      EXPECT_GE(values.upper_cost, exact - 1e-12);
      EXPECT_GE(values.primal_cost, values.dual_cost - 1e-12);
      EXPECT_LE(values.transport_cost, last + tolerance * farthest);
      EXPECT_LE(values.transport_cost, exact + epsilon * entropy + tolerance * farthest);
      last = values.transport_cost;
    }
    EXPECT_NEAR(last, exact, 0.02 * exact + 1e-4) << "problem " << seed;
  }
}

TEST(NetworkSimplex, BoundsHoldAlsoAfterThreeSweeps) {
  for (unsigned seed = 0; seed < 40; ++seed) {
    const ExactProblem problem = exact_problem(seed);
    const Values a = normalised(problem.a);
    const Values b = normalised(problem.b);
    const Real exact = exact_cost(problem);
    for (const Real epsilon : {16.0, 1.0, 0.1}) {
      TransportSettings settings = test::transport_settings(epsilon, 1e-12);
      settings.schedule.factor = 1.0;
      settings.schedule.multiscale = false;
      settings.stopping.max_iterations = 3;
      const TransportValues values = test::solve_alone(settings, problem.grid, a, b).values;
      EXPECT_LE(values.dual_cost, exact + epsilon * std::min(test::entropy_of(a), test::entropy_of(b)));
      EXPECT_GE(values.upper_cost, exact - 1e-12);
      EXPECT_GE(values.primal_cost, values.dual_cost - 1e-12);
    }
  }
}

// Two 6 x 6 grids and their distances, stated by the R package transport (masses normalised, spacing 1/6). Both matrices
// are given column by column, which distances do not notice.
const Values first = {0.00000,   11.15837, 47.11794,  110.68439, 74.07142, 96.41374, 69.52885, 34.19806, 113.82058,
                      126.79252, 96.75680, 129.98471, 0.00000,   62.19007, 22.35849, 87.95412, 72.46086, 111.66611,
                      56.46518,  86.01870, 87.39139,  13.56717,  0.00000,  70.25962, 43.88404, 87.66647, 77.25338,
                      59.03549,  63.91189, 89.74809,  67.64778,  77.11587, 52.47348, 63.05337, 43.71204, 21.99423};
const Values second = {148.10652, 77.14895, 79.83697,  121.31452, 120.33347, 82.87338, 55.72391,  56.09614, 117.18499,
                       97.70056,  87.84207, 107.50296, 72.55216,  93.82185,  89.43807, 132.24490, 62.11505, 33.63378,
                       50.69261,  30.38996, 0.00000,   106.08027, 62.37144,  95.76406, 62.44187,  74.58977, 42.91589,
                       152.21315, 72.02600, 89.41609,  44.87053,  64.64356,  10.08390, 108.00301, 88.42050, 131.40796};

TEST(PublishedDistances, OfSixBySixGridsAreReached) {
  const Grid grid = make_grid({6, 6}, {1.0 / 6.0, 1.0 / 6.0});
  const Values a = test::scaled_to_mass(first, 1.0);
  const Values b = test::scaled_to_mass(second, 1.0);
  struct Case {
    const char* kernel;
    Cost cost;
    Real epsilon;
    Real exact;
  };
  constexpr Real w1 = 0.0936004132159;
  constexpr Real w2 = 0.134995568876;
  for (const Case& c : {Case{"dense", Euclidean{}, 1e-3, w1}, Case{"stored", Euclidean{}, 1e-3, w1},
                        Case{"separable", SquaredEuclidean{}, 5e-4, w2 * w2}}) {
    TransportSettings settings = test::transport_settings(c.epsilon, 1e-8);
    settings.kernel = {c.kernel, c.cost};
    const auto solution = test::solve_alone(settings, grid, a, b);
    EXPECT_EQ(solution.outcome.reason, StopReason::converged) << c.kernel;
    EXPECT_GE(solution.values.upper_cost, c.exact - 1e-12) << c.kernel;
    EXPECT_NEAR(solution.values.upper_cost, c.exact, 1e-5) << c.kernel;
    EXPECT_NEAR(solution.values.transport_cost, c.exact, 1e-5) << c.kernel;
  }
}

}  // namespace
}  // namespace hpot
