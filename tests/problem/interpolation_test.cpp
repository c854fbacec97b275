// Frames of displacement interpolation against what is known of them: mass, mean, marginals, Gaussians. On any number of
// ranks, with the same bits.
#include "hpot/problem/interpolation.hpp"

#include "gaussians.hpp"
#include "transport.hpp"

#include <gtest/gtest.h>

namespace hpot {
namespace {

using test::Values;

struct Solved {
  TransportProblem problem;
  TransportSolution solution;
};

Solved solve_on(const Communicator& ranks, const Grid& grid, const Values& a, const Values& b, Real epsilon,
                Real tolerance, const std::string& penalty = "balanced") {
  const auto settings = test::transport_settings(epsilon, tolerance, penalty);
  TransportData data{grid, grid, a, b, Balanced{}, Balanced{}};
  Solved solved{make_transport_problem(settings.kernel, data, ranks), solve_transport(ranks, settings, data, {})};
  solved.problem.epsilon = epsilon;
  return solved;
}

PlanSearch search_of(const Solved& solved, const Grid& grid) {
  return make_plan_search(solved.problem, grid, grid, {}, solved.solution.f, solved.solution.g, false);
}

/// Frames on every rank.
Values frames_of(const PlanSearch& search, const Values& times) {
  Values frames = interpolate(search, times);
  search.rows.along_rows.broadcast(frames);
  return frames;
}

Values frame(const Values& frames, Index k, Index points) {
  return {frames.begin() + k * points, frames.begin() + (k + 1) * points};
}

Real sum(const Values& values) { return std::accumulate(values.begin(), values.end(), 0.0); }

/// Means per axis, slowest first.
Values mean_of(const Grid& grid, const Values& weights) {
  const auto points = reference::points_of(grid);
  Values mean(grid.dimension(), 0.0);
  for (std::size_t i = 0; i < points.size(); ++i) {
    for (std::size_t d = 0; d < mean.size(); ++d) mean[d] += weights[i] * points[i][d];
  }
  for (Real& m : mean) m /= sum(weights);
  return mean;
}

TEST(Interpolation, HasThePlansMassAndItsMeanMovesLinearly) {
  for (const Grid& grid :
       {make_grid({60}, {0.5}), make_grid({14, 17}, {1.0, 1.5}), make_grid({6, 7, 8}, {1.0, 1.0, 2.0})}) {
    for (const char* penalty : {"balanced", "kl:5"}) {
      const Values a = test::random_measure(grid.points(), 3, 0.5);
      const Values b =
          test::scaled_to_mass(test::random_measure(grid.points(), 4, 0.5), penalty == std::string("kl:5") ? 2.5 : 1.0);
      const Solved solved = solve_on(Communicator::world(), grid, a, b, 1.5, 1e-9, penalty);
      const PlanSearch search = search_of(solved, grid);
      const Values times = frame_times(5);
      const Values frames = frames_of(search, times);
      const Values first = mean_of(grid, frame(frames, 0, grid.points()));
      const Values last = mean_of(grid, frame(frames, 4, grid.points()));
      for (Index k = 0; k < 5; ++k) {
        const Values now = frame(frames, k, grid.points());
        EXPECT_NEAR(sum(now) / solved.solution.values.plan_mass, 1.0, 1e-12) << grid.describe();
        const Values mean = mean_of(grid, now);
        for (std::size_t d = 0; d < mean.size(); ++d)
          EXPECT_NEAR(mean[d], (1.0 - times[k]) * first[d] + times[k] * last[d], 1e-12 * 60.0) << grid.describe();
      }
    }
  }
}

TEST(Interpolation, BeginsAndEndsWithThePlansMarginals) {
  const Grid grid = make_grid({15, 16}, {1.0, 1.0});
  const Values a = test::random_measure(grid.points(), 5, 0.5);
  const Values b = test::random_measure(grid.points(), 6, 0.5);
  for (const char* penalty : {"balanced", "kl:3"}) {
    const Solved solved = solve_on(test::alone(), grid, a, b, 0.8, 1e-6, penalty);
    const auto cost = reference::cost_matrix(SquaredEuclidean{}, grid, grid);
    const test::Plan plan(cost, a, b, host_values(solved.solution.f), host_values(solved.solution.g), 0.8);
    const Values frames = frames_of(search_of(solved, grid), {0.0, 1.0});
    EXPECT_LT(reference::largest_difference(frame(frames, 0, grid.points()), plan.source_marginal()), 1e-12);
    const Values q = plan.target_marginal();
    const Values end = frame(frames, 1, grid.points());
    Real left_out = 0.0;
    for (std::size_t j = 0; j < q.size(); ++j) left_out += std::abs(end[j] - q[j]);
    EXPECT_LT(left_out, 2.0 * interpolation_left_out * plan.mass());
  }
}

TEST(Interpolation, OfAGaussianAndItsTranslateIsTheGaussianOnItsWay) {
  // balanced, equal covariances S: P couples x and y with covariance k = (d - eps/2)/2, so that x + t (y - x) has the
  // variance (1-t)^2 S + t^2 S + 2 t (1-t) k; the multilinear division of a point between two adds u (1 - u) h^2, u its
  // place in the cell.
  const Real spacing = 0.2;
  const Grid grid{{{80, spacing, -8.0}}, {}};
  const test::Gaussian a{{-1.0}, {{{1.0, 0.0}, {0.0, 0.0}}}};
  const test::Gaussian b{{1.0}, {{{1.0, 0.0}, {0.0, 0.0}}}};
  const Real epsilon = 0.5;
  const Solved solved =
      solve_on(Communicator::world(), grid, test::sampled(a, grid), test::sampled(b, grid), epsilon, 1e-11);
  const Real k = 0.5 * (std::sqrt(0.25 * epsilon * epsilon + 4.0) - 0.5 * epsilon);
  const Values times{0.0, 0.3, 0.5, 1.0};
  const Values frames = frames_of(search_of(solved, grid), times);
  const auto points = reference::points_of(grid);
  for (std::size_t m = 0; m < times.size(); ++m) {
    const Real t = times[m];
    const Values now = frame(frames, static_cast<Index>(m), grid.points());
    Real mean = 0.0, square = 0.0, fourth = 0.0;
    for (std::size_t i = 0; i < now.size(); ++i) mean += now[i] * points[i][0];
    for (std::size_t i = 0; i < now.size(); ++i) {
      const Real x = points[i][0] - mean;
      square += now[i] * x * x;
      fourth += now[i] * x * x * x * x;
    }
    const Real variance = (1.0 - t) * (1.0 - t) + t * t + 2.0 * t * (1.0 - t) * k;
    EXPECT_NEAR(mean, -1.0 + 2.0 * t, 1e-7);
    const Real division = t == 0.0 || t == 1.0 ? 0.0 : 0.25 * spacing * spacing;
    EXPECT_GE(square, variance - 1e-5);
    EXPECT_LE(square, variance + division + 1e-5);
    EXPECT_NEAR(fourth / (square * square), 3.0, 0.03) << t;
  }
}

TEST(Interpolation, HasTheBitsOfOneRank) {
  const Grid grid = make_grid({9, 8, 7}, {1.0, 1.0, 1.0});
  const Values a = test::random_measure(grid.points(), 8, 0.3);
  const Values b = test::random_measure(grid.points(), 9, 0.3);
  const Values times = frame_times(4);
  const Values together = frames_of(search_of(solve_on(Communicator::world(), grid, a, b, 1.0, 1e-6), grid), times);
  const Values single = frames_of(search_of(solve_on(test::alone(), grid, a, b, 1.0, 1e-6), grid), times);
  EXPECT_EQ(together, single);
}

TEST(Interpolation, OfMassesAtTheEndsOfDoublesRangeHasTheirMass) {
  const Grid grid = make_grid({10, 10}, {1.0, 1.0});
  for (const Real mass : {1e-300, 1e300}) {
    const Values a = test::scaled_to_mass(test::random_measure(100, 1), mass);
    const Values b = test::scaled_to_mass(test::random_measure(100, 2), mass);
    const Solved solved = solve_on(test::alone(), grid, a, b, 2.0, 1e-6);
    const Values frames = frames_of(search_of(solved, grid), {0.0, 0.5});
    for (Index k = 0; k < 2; ++k)
      EXPECT_NEAR(sum(frame(frames, k, 100)) / solved.solution.values.plan_mass, 1.0, 1e-12);
  }
}

}  // namespace
}  // namespace hpot
