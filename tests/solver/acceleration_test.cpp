// Acceleration and the solve loop on maps small enough to know everything about.
#include "hpot/solver/acceleration.hpp"

#include "transport.hpp"

#include <gtest/gtest.h>

#include <functional>

namespace hpot {
namespace {

using test::Values;

/// x <- map(x) on n numbers; the error is the L1 norm of map(x) - x.
class SmallMap final : public FixedPointMap {
 public:
  SmallMap(Values start, std::function<Values(const Values&)> map)
      : map_(std::move(map)),
        x_(reference::field_of(start)),
        y_(make_field("image", 1, static_cast<Index>(start.size()))),
        weight_(reference::field_of(Values(start.size(), 1.0))),
        rows_{Partition(static_cast<Index>(start.size()), 64, 1), test::alone()} {}

  void set_epsilon(Real) override {}
  Real evaluate() override {
    const Values x = host_values(x_);
    const Values y = map_(x);
    Kokkos::deep_copy(y_, reference::field_of(y));
    Real error = 0.0;
    for (std::size_t i = 0; i < x.size(); ++i) error += std::abs(y[i] - x[i]);
    return error;
  }
  void accept() override { std::swap(x_, y_); }
  [[nodiscard]] std::vector<Field> state() const override { return {x_}; }
  [[nodiscard]] std::vector<Field> image() const override { return {y_}; }
  [[nodiscard]] std::vector<Real> dots(const std::vector<Field>& x,
                                       const std::vector<std::vector<Field>>& ys) const override {
    std::vector<Field> fields;
    for (const auto& y : ys) fields.push_back(y[0]);
    return weighted_dots(rows_, weight_, x[0], fields);
  }
  [[nodiscard]] Values values() const { return host_values(x_); }

 private:
  std::function<Values(const Values&)> map_;
  Field x_, y_, weight_;
  OwnedRows rows_;
};

class OneLevel final : public LeveledProblem {
 public:
  explicit OneLevel(FixedPointMap& map) : map_(map) {}
  FixedPointMap& enter(int) override { return map_; }

 private:
  FixedPointMap& map_;
};

Outcome solve_small(SmallMap& map, const AccelerationOptions& options, Index max_iterations, Real tolerance = 1e-10) {
  OneLevel problem(map);
  const auto acceleration = make_acceleration(options);
  return solve(test::alone(), problem, {{0, 1.0, tolerance}}, {tolerance, max_iterations, infinity}, *acceleration, {});
}

/// y_i = rate_i x_i + 1, rates from 0 to 0.999.
Values contraction(const Values& x) {
  Values y;
  for (std::size_t i = 0; i < x.size(); ++i) {
    y.push_back(0.999 * static_cast<Real>(i) / static_cast<Real>(x.size() - 1) * x[i] + 1.0);
  }
  return y;
}

TEST(Anderson, SolvesALinearContractionInAsManyStepsAsItHasRates) {
  SmallMap map(Values(8, 0.0), contraction);
  const Outcome outcome = solve_small(map, {"anderson", 10}, 1000);
  EXPECT_EQ(outcome.reason, StopReason::converged);
  EXPECT_LE(outcome.iterations, 20);
  EXPECT_NEAR(map.values()[7], 1000.0, 1e-6);
}

TEST(Plain, NeedsAsManySweepsAsTheSlowestRateAsks) {
  SmallMap map(Values(8, 0.0), contraction);
  const Outcome outcome = solve_small(map, {"none", 10}, 100000);
  EXPECT_EQ(outcome.reason, StopReason::converged);
  EXPECT_GT(outcome.iterations, 10000);
  EXPECT_NEAR(map.values()[7], 1000.0, 1e-6);
}

/// A rotation with a shrinking of 1% and a strong curvature far away: extrapolated steps overshoot.
Values bent(const Values& x) {
  const Real radius2 = x[0] * x[0] + x[1] * x[1];
  const Real shrink = 0.99 / (1.0 + 0.1 * radius2);
  return {shrink * (0.6 * x[0] - 0.8 * x[1]), shrink * (0.8 * x[0] + 0.6 * x[1])};
}

TEST(Anderson, BringsBackAMapWhoseExtrapolatedStepsOvershoot) {
  for (const Real start : {0.1, 3.0, 300.0}) {
    SmallMap map({start, 0.5 * start}, bent);
    const Outcome outcome = solve_small(map, {"anderson", 5}, 3000);
    EXPECT_EQ(outcome.reason, StopReason::converged) << start;
    EXPECT_LT(std::abs(map.values()[0]) + std::abs(map.values()[1]), 1e-8) << start;
  }
}

TEST(Anderson, TurnsALinearMapThatDivergesIntoOneThatConverges) {
  const auto expanding = [](const Values& x) { return Values{-1.5 * x[0] + 1.0, 1.2 * x[1] + 1.0, 0.5 * x[2] + 1.0}; };
  SmallMap map(Values(3, 0.0), expanding);
  const Outcome outcome = solve_small(map, {"anderson", 5}, 200, 1e-9);
  EXPECT_EQ(outcome.reason, StopReason::converged);
  EXPECT_NEAR(map.values()[0], 0.4, 1e-8);
  EXPECT_NEAR(map.values()[1], -5.0, 1e-7);
}

TEST(Momentum, NeedsTheSquareRootOfThePlainSweeps) {
  SmallMap map(Values(8, 0.0), contraction);
  const Outcome outcome = solve_small(map, {"momentum", 0}, 2000);
  EXPECT_EQ(outcome.reason, StopReason::converged);
  EXPECT_LE(outcome.iterations, 1500);  // plain: 2e4 and more
  EXPECT_NEAR(map.values()[7], 1000.0, 1e-6);
}

TEST(Momentum, BringsBackAMapWhoseExtrapolatedStepsOvershoot) {
  for (const Real start : {0.1, 3.0, 300.0}) {
    SmallMap map({start, 0.5 * start}, bent);
    const Outcome outcome = solve_small(map, {"momentum", 0}, 6000);
    EXPECT_EQ(outcome.reason, StopReason::converged) << start;
    EXPECT_LT(std::abs(map.values()[0]) + std::abs(map.values()[1]), 1e-8) << start;
  }
}

TEST(Momentum, GoesBackToTheLastImageWhereItsStepIsNoNumber) {
  // The image of whatever lies beyond 1.5 is no number; plain sweeps end at 1.
  const auto cliff = [](const Values& x) { return Values{x[0] > 1.5 ? std::nan("") : 1.0 + 0.9 * (x[0] - 1.0)}; };
  SmallMap map({-10.0}, cliff);
  const Outcome outcome = solve_small(map, {"momentum", 0}, 2000);
  EXPECT_EQ(outcome.reason, StopReason::converged);
  EXPECT_NEAR(map.values()[0], 1.0, 1e-8);
}

TEST(Acceleration, StandsStillAtAFixedPoint) {
  for (const std::string type : {"none", "momentum", "anderson"}) {
    SmallMap map({2.0, 2.0}, [](const Values& x) { return x; });
    const auto acceleration = make_acceleration({type, 5});
    acceleration->reset(map, 0.0);
    for (int step = 0; step < 20; ++step) acceleration->advance(map, map.evaluate());
    EXPECT_EQ(map.values(), Values({2.0, 2.0})) << type;
  }
}

TEST(Solve, ReportsAnErrorThatIsNoNumberAsDiverged) {
  SmallMap map({1.0}, [](const Values& x) { return Values{x[0] > 1e3 ? infinity : 10.0 * x[0]}; });
  const Outcome outcome = solve_small(map, {"none", 5}, 100);
  EXPECT_EQ(outcome.reason, StopReason::diverged);
  EXPECT_EQ(exit_code(outcome.reason), ExitCode::not_converged);
  EXPECT_NE(advice(outcome, {}, 1.0, 0.0).find("diverged"), std::string::npos);
}

TEST(Solve, GivesTheErrorOfTheStateThatItLeaves) {
  SmallMap map(Values(8, 0.0), contraction);
  const Outcome outcome = solve_small(map, {"anderson", 3}, 5);
  EXPECT_EQ(outcome.reason, StopReason::max_iterations);
  EXPECT_EQ(map.evaluate(), outcome.error);
}

TEST(Advice, IsEmptyAfterConvergence) { EXPECT_EQ(advice({}, {}, 1.0, 0.0), ""); }

TEST(Advice, NamesAToleranceBelowTheErrorFloor) {
  Outcome outcome;
  outcome.reason = StopReason::max_iterations;
  outcome.epsilon = 1.0;
  EXPECT_NE(advice(outcome, {1e-14, 10, infinity}, 1.0, 1e-12).find("error floor"), std::string::npos);
  outcome.epsilon = 2.0;
  EXPECT_NE(advice(outcome, {1e-4, 10, infinity}, 1.0, 1e-12).find("still on the way down"), std::string::npos);
}

}  // namespace
}  // namespace hpot
