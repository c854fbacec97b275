// Minima over the simplex against solutions that are known, inside and at its faces.
#include "hpot/solver/simplex_descent.hpp"

#include <gtest/gtest.h>

#include <numeric>

namespace hpot {
namespace {

using Values = std::vector<Real>;

/// sum_k c_k (lambda_k - wanted_k)^2/2.
SimplexFunction distance_to(const Values& wanted, const Values& c, Real tolerance, SimplexPoint& last) {
  const auto evaluate = [=](const Values& lambda, Values& gradient) {
    Real value = 0.0;
    for (std::size_t k = 0; k < lambda.size(); ++k) {
      gradient[k] = c[k] * (lambda[k] - wanted[k]);
      value += 0.5 * gradient[k] * (lambda[k] - wanted[k]);
    }
    return value;
  };
  return {evaluate, [tolerance, &last, steps = 0](const SimplexPoint& point) mutable {
            last = point;
            return point.gap <= tolerance || ++steps > 500;
          }};
}

TEST(SimplexDescent, FindsAPointInside) {
  const Values wanted{0.5, 0.1, 0.15, 0.25};
  SimplexPoint last;
  EXPECT_TRUE(minimise_on_simplex(distance_to(wanted, {1.0, 30.0, 2.0, 5.0}, 1e-14, last), 10, Values(4, 0.25)));
  EXPECT_LE(last.gap, 1e-14);
  for (int k = 0; k < 4; ++k) EXPECT_NEAR(last.lambda[k], wanted[k], 1e-7);
}

/// The projection of a point outside: max(wanted_k - mu, 0), here mu = 0.2.
TEST(SimplexDescent, FindsTheFaceThatIsClosestAndLeavesItExactly) {
  SimplexPoint last;
  EXPECT_TRUE(
      minimise_on_simplex(distance_to({0.9, 0.5, 0.1, -0.6}, Values(4, 1.0), 1e-13, last), 10, Values(4, 0.25)));
  const Values expected{0.7, 0.3, 0.0, 0.0};
  for (int k = 0; k < 4; ++k) EXPECT_NEAR(last.lambda[k], expected[k], 1e-6);
  EXPECT_LT(last.lambda[2], 1e-12);
  EXPECT_LT(last.lambda[3], 1e-12);
  EXPECT_NEAR(std::accumulate(last.lambda.begin(), last.lambda.end(), 0.0), 1.0, 1e-15);
}

/// The minimum of the whole space is a vertex, so that nothing but curvature drives the others to 0, and the gap is of second
/// order in the distance.
TEST(SimplexDescent, ComesNearAVertexWhoseGradientVanishes) {
  SimplexPoint last;
  EXPECT_TRUE(minimise_on_simplex(distance_to({0.0, 1.0, 0.0}, {1.0, 1.0, 3.0}, 1e-6, last), 10, Values(3, 1.0 / 3.0)));
  EXPECT_NEAR(last.lambda[1], 1.0, 1e-3);
}

TEST(SimplexDescent, GapBoundsTheDistanceFromTheMinimumOfAConvexFunction) {
  const SimplexFunction function = [] {
    static SimplexPoint unused;
    return distance_to({0.9, 0.5, 0.1, -0.6}, Values(4, 1.0), 0.0, unused);
  }();
  Values gradient(4);
  const Real least = function.evaluate({0.7, 0.3, 0.0, 0.0}, gradient);
  bool all = true;
  minimise_on_simplex({function.evaluate,
                       [&](const SimplexPoint& point) {
                         all = all && point.value - least <= point.gap + 1e-15;
                         return point.gap < 1e-10;
                       }},
                      5, Values(4, 0.25));
  EXPECT_TRUE(all);
}

/// Two simplexes at once: each finds what it finds alone, and the gaps add up.
TEST(SimplexDescent, FindsAPointInAProductOfSimplexes) {
  const Values wanted{0.5, 0.1, 0.15, 0.25, 0.7, 0.6};  // the last two project to 0.55, 0.45
  SimplexPoint last;
  const SimplexProduct simplexes({4, 2});
  EXPECT_TRUE(minimise_on_simplexes(distance_to(wanted, Values(6, 2.0), 1e-8, last), simplexes, 10,
                                    {0.25, 0.25, 0.25, 0.25, 0.9, 0.1}));
  const Values expected{0.5, 0.1, 0.15, 0.25, 0.55, 0.45};
  for (int k = 0; k < 6; ++k) EXPECT_NEAR(last.lambda[k], expected[k], 1e-6);
  const Values lambda{0.5, 0.5, 0.0, 0.0, 0.2, 0.8};
  EXPECT_NEAR(simplexes.gap(lambda, {1.0, 2.0, 3.0, 4.0, 5.0, 7.0}), (1.5 - 1.0) + (6.6 - 5.0), 1e-15);
  const Values again = simplexes.weights_of(simplexes.theta_of(lambda));
  for (int k = 0; k < 6; ++k) EXPECT_NEAR(again[k], lambda[k], 1e-15);
}

}  // namespace
}  // namespace hpot
