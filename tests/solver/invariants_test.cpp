// What must hold of any solve: symmetries, limits, monotony.
#include "transport.hpp"

#include <gtest/gtest.h>

namespace hpot {
namespace {

using test::Values;

const Grid grid = make_grid({11, 9}, {1.0, 1.5});

Values measure(unsigned seed, Real mass = 1.0) {
  return test::scaled_to_mass(test::random_measure(99, seed, 0.4), mass);
}

/// Differences where the weight is positive, less the common constant of balanced potentials.
Real largest_difference_up_to_constant(const Values& weight, const Values& x, const Values& y) {
  Real constant = 0.0;
  for (std::size_t i = 0; i < x.size(); ++i) constant += weight[i] * (x[i] - y[i]);
  Real largest = 0.0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (weight[i] > 0.0) largest = std::max(largest, std::abs(x[i] - y[i] - constant));
  }
  return largest;
}

TEST(SwappingTheMeasures, SwapsThePotentials) {
  const Values a = measure(1);
  const Values b = measure(2);
  for (const char* penalty : {"balanced", "kl:4"}) {
    const auto settings = test::transport_settings(1.0, 1e-12, penalty);
    const auto forth = test::solve_alone(settings, grid, a, b);
    const auto back = test::solve_alone(settings, grid, b, a);
    EXPECT_NEAR(forth.values.dual_cost, back.values.dual_cost, 1e-10);
    EXPECT_NEAR(forth.values.transport_cost, back.values.transport_cost, 1e-9);
    EXPECT_LT(largest_difference_up_to_constant(a, host_values(forth.f), host_values(back.g)), 1e-8) << penalty;
    EXPECT_LT(largest_difference_up_to_constant(b, host_values(forth.g), host_values(back.f)), 1e-8) << penalty;
  }
}

TEST(ScalingTheSpacing, ScalesValuesAndPotentialsByItsSquare) {
  Grid doubled = grid;
  for (Axis& axis : doubled.axes) axis.spacing *= 2.0;
  for (const char* penalty : {"balanced", "kl:4", "tv:4"}) {
    TransportSettings settings = test::transport_settings(1.0, 1e-9, penalty);
    settings.epsilon = {0.7, "spacing2"};
    const auto one = test::solve_alone(settings, grid, measure(3), measure(4));
    const auto two = test::solve_alone(settings, doubled, measure(3), measure(4));
    EXPECT_EQ(two.outcome.iterations, one.outcome.iterations);
    EXPECT_DOUBLE_EQ(two.target_epsilon, 4.0 * one.target_epsilon);
    EXPECT_NEAR(two.values.dual_cost, 4.0 * one.values.dual_cost, 1e-12 * one.values.dual_cost);
    EXPECT_NEAR(two.values.transport_cost, 4.0 * one.values.transport_cost, 1e-12 * one.values.transport_cost);
    Values f = host_values(one.f);
    for (Real& value : f) value *= 4.0;
    EXPECT_LT(reference::largest_difference(f, host_values(two.f)), 1e-10);
  }
}

TEST(UnitsOfEpsilon, GiveTheSameSolveForTheSameEpsilon) {
  const Values a = measure(5);
  const Values b = measure(6);
  const TransportProblem problem = test::problem_of(grid, a, b, Balanced{}, Balanced{}, 1.0);
  const auto in_cost = test::solve_alone(test::transport_settings(1.5, 1e-9), grid, a, b);
  for (const char* unit : {"spacing2", "max_cost", "mean_cost"}) {
    TransportSettings settings = test::transport_settings(1.0, 1e-9);
    settings.epsilon.unit = unit;
    settings.epsilon.target = 1.5 / pair_unit(settings.epsilon, test::alone(), settings.kernel, grid, problem);
    const auto solution = test::solve_alone(settings, grid, a, b);
    EXPECT_NEAR(solution.target_epsilon, 1.5, 1e-14);
    EXPECT_NEAR(solution.values.dual_cost, in_cost.values.dual_cost, 1e-8) << unit;
  }
}

TEST(PenaltyLimits, LargeRhoBecomesBalanced) {
  const Values a = measure(7);
  const Values b = measure(8);
  const auto balanced = test::solve_alone(test::transport_settings(1.0, 1e-10), grid, a, b);
  for (const char* penalty : {"kl:1e7", "tv:1e4", "range:1,1"}) {
    const auto solution = test::solve_alone(test::transport_settings(1.0, 1e-10, penalty), grid, a, b);
    EXPECT_EQ(solution.outcome.reason, StopReason::converged) << penalty;
    EXPECT_NEAR(solution.values.dual_cost, balanced.values.dual_cost, 1e-4) << penalty;
    EXPECT_NEAR(solution.values.transport_cost, balanced.values.transport_cost, 1e-4) << penalty;
  }
}

TEST(PenaltyLimits, SmallRhoMovesNothing) {
  Values a(99, 0.0);
  Values b(99, 0.0);
  a[0] = 1.0;
  b[98] = 1.0;
  for (const char* penalty : {"kl:0.01", "tv:0.01", "range:0,1"}) {
    const auto solution = test::solve_alone(test::transport_settings(1.0, 1e-10, penalty), grid, a, b);
    EXPECT_LT(solution.values.plan_mass, 1e-30) << penalty;
  }
}

TEST(PlainSweeps, NeverLowerTheDualCost) {
  for (const char* penalty : {"balanced", "kl:3", "tv:3", "range:0.7,1.2"}) {
    const Real mass = std::string(penalty) == "balanced" ? 1.0 : 1.1;
    TransportData data{grid, grid, measure(9), measure(10, mass)};
    data.source_penalty = data.target_penalty = parse_penalty(penalty);
    MultiscaleSinkhorn sinkhorn({"separable", SquaredEuclidean{}}, data, test::alone(), 1 << 20);
    FixedPointMap& map = sinkhorn.enter(0);
    map.set_epsilon(0.5);
    Real last = -infinity;
    for (int sweep = 0; sweep < 60; ++sweep) {
      map.evaluate();
      const SinkhornMap& state = sinkhorn.map();
      const Real dual = evaluate_transport(test::alone(), state.problem(), state.f(), state.g()).dual_cost;
      EXPECT_GE(dual, last - 1e-12) << penalty << " sweep " << sweep;
      last = dual;
      map.accept();
    }
  }
}

TEST(ReportedError, IsTheResidualOfThePotentialsThatAreReturned) {
  for (const char* penalty : {"balanced", "kl:3", "tv:3", "range:0.7,1.2"}) {
    for (const Index sweeps : {4, 100, 100000}) {
      TransportSettings settings = test::transport_settings(0.5, 1e-9, penalty);
      settings.schedule = {1.0, false, 5e-2, 16};
      settings.stopping.max_iterations = sweeps;
      const auto solution = test::solve_alone(settings, grid, measure(11), measure(12));
      EXPECT_LT(solution.values.residual_source, 1e-13) << penalty;  // the source half-step is exact
      EXPECT_NEAR(solution.values.residual_target, solution.outcome.error, 1e-13 + 1e-10 * solution.outcome.error);
      EXPECT_EQ(solution.outcome.reason == StopReason::converged, solution.outcome.error <= 1e-9) << penalty;
    }
  }
}

TEST(ConvergedSolves, CloseTheGapBetweenPrimalAndDual) {
  for (const char* penalty : {"balanced", "kl:3", "tv:3"}) {
    const auto solution =
        test::solve_alone(test::transport_settings(0.5, 1e-11, penalty), grid, measure(13), measure(14));
    EXPECT_EQ(solution.outcome.reason, StopReason::converged);
    EXPECT_GE(solution.values.gap, -1e-12) << penalty;
    EXPECT_LT(solution.values.gap, 1e-7) << penalty;
  }
}

}  // namespace
}  // namespace hpot
