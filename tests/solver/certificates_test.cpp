// The interval [lower_cost, upper_cost] against exact values, on any number of ranks: over all operators, costs and
// dimensions, at masses from 1e-300 to 1e300, converged or stopped. No tolerance but the reference's own rounding.
#include "simplex.hpp"

#include <gtest/gtest.h>

namespace hpot {
namespace {

using test::Integers;
using test::Values;

constexpr std::int64_t total = std::int64_t{1} << 20;  // of the integer weights
constexpr Real zeros = 0.4;

struct Case {
  Grid grid;
  KernelOptions kernel;
  Real mass;  // a power of two, or three times one: weights are exact
  Real epsilon;
  Integers a, b;
  std::vector<Values> cost;
  Real largest = 0.0;
  std::string what;
};

Case random_case(unsigned seed) {
  std::mt19937_64 engine(seed);
  const auto draw = [&](Index low, Index high) { return std::uniform_int_distribution<Index>(low, high)(engine); };
  const std::vector<Cost> separable = {SquaredEuclidean{}, PowerAxes{1.0}, PowerAxes{1.5}, PowerAxes{3.0}};
  const std::vector<Cost> others = {SquaredEuclidean{}, PowerAxes{1.5}, Euclidean{}, Power{0.5}, Power{3.0}};
  const std::vector<std::string> types = {"separable", "dense", "stored"};
  const std::vector<Real> masses = {1.0, 3.0, std::ldexp(1.0, -996), 1.0, std::ldexp(1.0, 990), 1.0, 0.375};
  const std::vector<Real> spacings = {0.7, 1.3, 2.1};

  Case c;
  c.kernel.type = types[seed % 3];
  c.kernel.cost = seed % 3 == 0 ? separable[seed / 3 % separable.size()] : others[seed / 3 % others.size()];
  c.mass = masses[seed % masses.size()];
  const int dimension = static_cast<int>(draw(1, 3));
  const bool anisotropic = draw(0, 1) == 1;
  for (int d = 0; d < dimension; ++d) {
    const Index n = dimension == 1 ? draw(2, 40) : dimension == 2 ? draw(2, 7) : draw(1, 4);
    c.grid.axes.push_back({n, anisotropic ? spacings[d] : 1.0, 0.0});
  }
  const Index points = c.grid.points();
  c.a = test::integer_measure(points, engine, total, zeros);
  c.b = test::integer_measure(points, engine, total, zeros);
  c.cost = reference::cost_matrix(c.kernel.cost, c.grid, c.grid);
  for (const Values& row : c.cost) c.largest = std::max(c.largest, *std::max_element(row.begin(), row.end()));
  const std::vector<Real> shares = {1.0, 0.1, 0.01};
  c.epsilon = (c.largest > 0.0 ? c.largest : 1.0) * shares[draw(0, 2)];
  c.what = "problem " + std::to_string(seed) + ", " + c.grid.describe() + ", " + c.kernel.type + ", " +
           name(c.kernel.cost) + ", mass " + std::to_string(c.mass) + ", eps " + std::to_string(c.epsilon);
  return c;
}

enum class Sweeps { three, converged };

TransportSolution solved(const Case& c, Real scale_a, Real scale_b, Sweeps sweeps, const std::string& penalty) {
  TransportSettings settings = test::transport_settings(c.epsilon, 1e-8, penalty);
  settings.kernel = c.kernel;
  settings.stopping.max_iterations = 5000;
  if (sweeps == Sweeps::three) {
    settings.schedule.factor = 1.0;
    settings.schedule.multiscale = false;
    settings.stopping.max_iterations = 3;
  }
  return solve_transport(Communicator::world(), settings,
                         {c.grid, c.grid, test::scaled(c.a, scale_a), test::scaled(c.b, scale_b)}, {});
}

/// One rank solves all problems, several every fifth.
unsigned step() { return Communicator::world().size() == 1 ? 1 : 5; }

TEST(Interval, EnclosesTheExactCostOf200RandomBalancedProblems) {
  std::vector<Real> widths;
  for (unsigned seed = 0; seed < 200; seed += step()) {
    const Case c = random_case(seed);
    const test::ExactCost exact = test::exact_cost(c.cost, c.a, c.b);
    const Real entropy = std::min(test::entropy_of(test::scaled(c.a, 1.0 / total)),  //
                                  test::entropy_of(test::scaled(c.b, 1.0 / total)));
    for (const Sweeps sweeps : {Sweeps::three, Sweeps::converged}) {
      const auto solution = solved(c, c.mass / total, c.mass / total, sweeps, "balanced");
      const TransportValues& values = solution.values;
      const Real lower = values.lower_cost / c.mass;
      const Real upper = values.upper_cost / c.mass;
      EXPECT_LE(lower, exact.value + exact.error) << c.what;
      EXPECT_GE(upper, exact.value - exact.error) << c.what;
      EXPECT_GE(lower, 0.0) << c.what;
      EXPECT_LE(upper, 1.01 * c.largest) << c.what;
      if (c.mass == 1.0) {  // other masses add eps m (m - 1 - log m) to the entropic costs
        const Real rounding = 16.0 * values.error_floor * c.epsilon + exact.error;
        EXPECT_GE(values.primal_cost, exact.value - rounding) << c.what;
        EXPECT_LE(values.dual_cost - c.epsilon * entropy, exact.value + rounding) << c.what;
      }
      if (solution.outcome.reason != StopReason::converged) continue;
      // OT_0 - eps H <= dual_cost - eps H <= lower, <P,C> <= OT_0 + eps H; the tolerance moves mass 1e-8 at most.
      EXPECT_LE(upper - lower, 2.0 * c.epsilon * entropy + 1e-7 * (c.largest + c.epsilon)) << c.what;
      widths.push_back((upper - lower) / std::max(c.largest, std::numeric_limits<Real>::min()));
    }
  }
  std::sort(widths.begin(), widths.end());
  EXPECT_GE(widths.size(), 200 / step() * 9 / 10) << "most problems converge";
  if (!widths.empty()) RecordProperty("median_width_over_largest_cost", std::to_string(widths[widths.size() / 2]));
}

/// Mass that is not moved costs rho on each side: one more point on either side that takes or gives it.
test::ExactCost exact_under_total_variation(const Case& c, Real rho) {
  std::vector<Values> cost = c.cost;
  for (Values& row : cost) row.push_back(rho);
  cost.push_back(Values(c.b.size(), rho));
  cost.back().push_back(0.0);
  Integers a = c.a;
  Integers b = c.b;
  a.push_back(std::accumulate(c.b.begin(), c.b.end(), std::int64_t{0}));
  b.push_back(std::accumulate(c.a.begin(), c.a.end(), std::int64_t{0}));
  const test::ExactCost exact = test::exact_cost(cost, a, b);
  const Real both = static_cast<Real>(a.back() + b.back());
  return {exact.value * both, exact.error * both};
}

TEST(Interval, EnclosesTheExactCostUnderTotalVariation) {
  for (unsigned seed = 1000; seed < 1030; seed += step()) {
    Case c = random_case(seed);
    for (auto& weight : c.b) weight *= 2;
    for (const Real share : {0.02, 0.3, 1.0}) {
      const Real rho = share * std::max(c.largest, 1.0);
      const test::ExactCost exact = exact_under_total_variation(c, rho);
      const Real unit = 1.0 / total;
      for (const Sweeps sweeps : {Sweeps::three, Sweeps::converged}) {
        std::ostringstream penalty;
        penalty.precision(17);
        penalty << "tv:" << rho;
        const TransportValues values = solved(c, unit, unit, sweeps, penalty.str()).values;
        EXPECT_LE(values.lower_cost, (exact.value + exact.error) * unit) << c.what << ' ' << penalty.str();
        EXPECT_GE(values.upper_cost, (exact.value - exact.error) * unit) << c.what << ' ' << penalty.str();
        EXPECT_GE(values.lower_cost, 0.0) << c.what;
        EXPECT_TRUE(std::isfinite(values.dual_cost)) << "potentials stay in the dual's domain: " << c.what;
        EXPECT_GE(values.gap, 0.0) << c.what;
      }
    }
  }
}

/// min over m of C m + rho KL(m | m_a) + rho KL(m | m_b): m = sqrt(m_a m_b) exp(-C/(2 rho)), value rho (m_a + m_b - 2 m).
TEST(Interval, EnclosesTheClosedFormOfTwoPointsUnderKullbackLeibler) {
  const Grid line = make_grid({12}, {1.0});
  Values a(12, 0.0);
  Values b(12, 0.0);
  a[2] = 2.0;
  b[7] = 0.5;
  for (const Real rho : {0.5, 3.0, 40.0}) {
    const Real exact = rho * (2.5 - 2.0 * std::exp(-25.0 / (2.0 * rho)));
    for (const Real epsilon : {5.0, 0.1, 1e-3}) {
      const auto settings = test::transport_settings(epsilon, 1e-9, "kl:" + std::to_string(rho));
      const TransportValues values = solve_transport(Communicator::world(), settings, {line, line, a, b}, {}).values;
      EXPECT_LE(values.lower_cost, exact * (1.0 + 1e-15));
      EXPECT_GE(values.upper_cost, exact * (1.0 - 1e-15));
      EXPECT_LE(values.upper_cost - values.lower_cost, 30.0 * epsilon + 1e-7);
    }
  }
}

TEST(Interval, ShrinksWithEpsilonUnderAnyPenaltyThatLeavesAPlan) {
  const Grid image = make_grid({6, 5}, {1.0, 1.4});
  const Values a = test::random_measure(30, 71, zeros);
  const Values b = test::random_measure(30, 72, zeros);
  const std::vector<std::pair<const char*, const char*>> penalties = {
      {"kl:3", "kl:3"}, {"kl:3", "tv:5"}, {"tv:5", "balanced"}, {"balanced", "kl:2"}, {"range:0.6,1.2", "kl:2"}};
  for (const auto& [source, target] : penalties) {
    Real last = infinity;
    for (const Real epsilon : {4.0, 0.4, 0.04}) {
      TransportSettings settings = test::transport_settings(epsilon, 1e-7, source);
      settings.target_penalty = target;
      const TransportValues values = solve_transport(Communicator::world(), settings, {image, image, a, b}, {}).values;
      const Real width = values.upper_cost - values.lower_cost;
      EXPECT_GE(width, 0.0) << source << ' ' << target;
      EXPECT_LT(width, 0.5 * last) << source << ' ' << target;
      last = width;
    }
    EXPECT_LT(last, 0.1) << source << ' ' << target;
  }
}

}  // namespace
}  // namespace hpot
