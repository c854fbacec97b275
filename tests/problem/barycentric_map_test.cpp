// The barycentric projection against closed forms. On any number of ranks.
#include "hpot/problem/barycentric_map.hpp"

#include "gaussians.hpp"
#include "transport.hpp"

#include <gtest/gtest.h>

namespace hpot {
namespace {

using test::Values;

struct Projected {
  Values displacement;  // (axes, owned points)
  Range rows;
};

Projected project(const Communicator& ranks, const Grid& grid, const Values& a, const Values& b, Real epsilon,
                  const std::string& penalty = "balanced") {
  const auto settings = test::transport_settings(epsilon, 1e-11, penalty);
  TransportData data{grid, grid, a, b, Balanced{}, Balanced{}};
  TransportProblem problem = make_transport_problem(settings.kernel, data, ranks);
  problem.epsilon = epsilon;
  const auto solution = solve_transport(ranks, settings, data, {});
  return {host_values(barycentric_displacement(problem, grid, grid, solution.g)), problem.source.rows.range()};
}

TEST(BarycentricMap, OfGaussiansIsTheClosedFormsAffineMap) {
  // The balanced plan is Gaussian with cross-covariance K: E[y|x] = m_b + K' A^-1 (x - m_a). With commuting A and B (here
  // common axes, turned by 30 degrees) K = sum over axes k e e', k = (sqrt((eps/2)^2 + 4 alpha beta) - eps/2)/2.
  const Real epsilon = 1.0;
  const Real alpha[2] = {1.2, 0.6}, beta[2] = {0.5, 1.1};
  const Real axes[2][2] = {{std::sqrt(0.75), 0.5}, {-0.5, std::sqrt(0.75)}};
  test::Gaussian a{{-0.5, 0.25}, {}}, b{{0.5, 0.0}, {}};
  Real slope[2][2] = {};
  for (int e = 0; e < 2; ++e) {
    const Real k = 0.5 * (std::sqrt(0.25 * epsilon * epsilon + 4.0 * alpha[e] * beta[e]) - 0.5 * epsilon);
    for (int r = 0; r < 2; ++r) {
      for (int c = 0; c < 2; ++c) {
        a.covariance[r][c] += alpha[e] * axes[e][r] * axes[e][c];
        b.covariance[r][c] += beta[e] * axes[e][r] * axes[e][c];
        slope[r][c] += k / alpha[e] * axes[e][r] * axes[e][c];
      }
    }
  }
  const Grid grid{{{40, 0.4, -8.0}, {40, 0.4, -7.8}}, {}};
  const Projected found = project(Communicator::world(), grid, test::sampled(a, grid), test::sampled(b, grid), epsilon);
  const auto points = reference::points_of(grid);
  const Index local_n = found.rows.size();
  for (Index i = 0; i < local_n; ++i) {
    const Values& x = points[found.rows.begin + i];
    const Real u[2] = {x[0] - a.mean[0], x[1] - a.mean[1]};
    if (u[0] * u[0] + u[1] * u[1] > 9.0) continue;  // the grid's end cuts the tails
    for (int r = 0; r < 2; ++r) {
      const Real expected = b.mean[r] + slope[r][0] * u[0] + slope[r][1] * u[1] - x[r];
      EXPECT_NEAR(found.displacement[(1 - r) * local_n + i], expected, 1e-7) << x[0] << ", " << x[1];
    }
  }
}

TEST(BarycentricMap, OfATranslationIsTheTranslation) {
  // Random weights on separate points and small eps: the plan is the translation to exp(-c/eps).
  const Grid grid = make_grid({24, 20}, {1.0, 2.0});
  Values a(grid.points(), 0.0), b(grid.points(), 0.0);
  const Values weights = test::random_measure(25, 4);
  for (Index k = 0; k < 25; ++k) {
    const Index y = 1 + 3 * (k / 5), x = 2 + 3 * (k % 5);
    a[y * 20 + x] = weights[k];
    b[(y + 7) * 20 + x + 2] = weights[k];
  }
  const Projected found = project(Communicator::world(), grid, a, b, 0.2);
  const Index local_n = found.rows.size();
  for (Index i = 0; i < local_n; ++i) {
    for (const Real component : {found.displacement[i], found.displacement[local_n + i]})
      EXPECT_TRUE(std::isfinite(component));
    if (a[found.rows.begin + i] == 0.0) continue;
    EXPECT_NEAR(found.displacement[i], 4.0, 1e-9);
    EXPECT_NEAR(found.displacement[local_n + i], 7.0, 1e-9);
  }
}

TEST(BarycentricMap, DividesByTheRowsOwnMassWhereThePlanIsUnbalanced) {
  const Grid grid = make_grid({5, 4, 6}, {1.0, 1.5, 1.0});
  const Real epsilon = 1.2;
  const Values a = test::random_measure(grid.points(), 1, 0.3);
  const Values b = test::scaled_to_mass(test::random_measure(grid.points(), 2, 0.3), 3.0);
  const auto settings = test::transport_settings(epsilon, 1e-10, "kl:2");
  const auto solution = test::solve_alone(settings, grid, a, b);
  const Values f = host_values(solution.f), g = host_values(solution.g);
  const auto points = reference::points_of(grid);
  const auto cost = reference::cost_matrix(SquaredEuclidean{}, grid, grid);
  const Projected found = project(Communicator::world(), grid, a, b, epsilon, "kl:2");
  const Index local_n = found.rows.size();
  for (Index i = 0; i < local_n; ++i) {
    const Index row = found.rows.begin + i;
    for (int d = 0; d < 3; ++d) {
      long double mass = 0.0L, moment = 0.0L;
      for (Index j = 0; j < grid.points(); ++j) {  // a_i = 0 too: the row's weight plays no part
        const long double p = b[j] * std::exp((static_cast<long double>(f[row]) + g[j] - cost[row][j]) / epsilon);
        mass += p;
        moment += p * points[j][d];
      }
      EXPECT_NEAR(found.displacement[(2 - d) * local_n + i], static_cast<Real>(moment / mass) - points[row][d], 1e-9);
    }
  }
}

}  // namespace
}  // namespace hpot
