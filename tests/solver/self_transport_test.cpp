// Transport of a measure onto itself by one potential against the solver of two.
#include "hpot/kernel/dense.hpp"
#include "hpot/measure/synthetic_points.hpp"
#include "transport.hpp"

#include <gtest/gtest.h>

namespace hpot {
namespace {

using test::Values;

struct Case {
  const char* kernel;
  const char* penalty;
  Cost cost = SquaredEuclidean{};
};

TransportSettings settings_of(const Case& c, Real epsilon, Real tolerance) {
  TransportSettings settings = test::transport_settings(epsilon, tolerance, c.penalty);
  settings.kernel.type = c.kernel;
  settings.kernel.cost = c.cost;
  settings.finish.finish = "none";
  settings.stopping.max_iterations = 3000;
  return settings;
}

TEST(SelfTransport, HasTheValueOfTheGeneralSolverByLessThanHalfOfItsKernelProducts) {
  const Grid grid = make_grid({13, 12}, {1.0, 1.0});
  const Values a = test::random_measure(grid.points(), 5, 0.4);
  Index products = 0, general_products = 0;
  for (const Case& c : {Case{"separable", "balanced"}, Case{"dense", "balanced"}, Case{"separable", "kl:3"},
                        Case{"separable", "tv:0.2"}, Case{"stored", "kl:0.5"}, Case{"dense", "balanced", Euclidean{}},
                        Case{"separable", "range:0.5,2"}, Case{"separable", "balanced", PowerAxes{1.5}}}) {
    const auto settings = settings_of(c, 0.5, 1e-9);
    const auto self = solve_self_transport(Communicator::world(), settings, {grid, a});
    const auto general = test::solve_alone(settings, grid, a, a);
    EXPECT_EQ(self.outcome.reason, StopReason::converged) << c.kernel << c.penalty;
    EXPECT_NEAR(self.values.dual_cost, general.values.dual_cost, 1e-9) << c.kernel << ' ' << c.penalty;
    EXPECT_LE(self.values.residual_source, 1.0001e-9);
    EXPECT_NEAR(self.values.residual_target, self.values.residual_source, 1e-12);
    products += self.outcome.iterations;
    general_products += 2 * general.outcome.iterations;
  }
  std::printf("kernel products: %d, general solver: %d\n", static_cast<int>(products),
              static_cast<int>(general_products));
  EXPECT_LT(2 * products, general_products);
}

TEST(SelfTransport, AtLeastHalvesItsErrorWithEverySweepInTheEnd) {
  const Grid grid = make_grid({40}, {1.0});
  const OwnedRows rows = own_rows(grid, test::alone());
  const Marginal side = make_marginal(rows, reference::field_of(test::random_measure(40, 3)), Balanced{});
  for (const Real epsilon : {0.1, 1.0, 100.0}) {
    SelfTransportMap map({side, side, make_kernel({"separable", SquaredEuclidean{}}, grid, rows, grid, rows)});
    map.set_epsilon(epsilon);
    Values errors;
    for (int sweep = 0; sweep < 60; ++sweep) {
      errors.push_back(map.evaluate());
      map.accept();
    }
    // the rate is that of a weighted L2 norm, the errors are L1: up to a factor
    for (std::size_t k = 0; k + 10 < errors.size(); ++k) {
      if (errors[k] < 1e-3 && errors[k + 10] > 1e-12) {
        EXPECT_LE(errors[k + 10], 4.0 * std::exp2(-10.0) * errors[k]) << epsilon;
      }
    }
    EXPECT_LT(errors.back(), 1e-12 * std::max(1.0, 1600.0 / epsilon));
  }
}

TEST(SelfTransport, OfACloudGivesTheDivergenceOfThreeSolvesOnAnyNumberOfRanks) {
  const auto cloud = [](Index item) {
    CloudData data = in_morton_order(synthetic_cloud("points?n=300&dim=3&weights=random&count=2", item));
    data.values = test::scaled_to_mass(data.values, 1.0);
    return data;
  };
  const CloudData a = cloud(0), b = cloud(1);
  for (const char* penalty : {"balanced", "kl:0.3"}) {
    const auto settings = settings_of({"dense", penalty}, 0.01, 1e-10);
    const auto dual = [&](const CloudData& x, const CloudData& y) {
      return solve_transport(test::alone(), settings, {x.cloud, y.cloud, x.values, y.values}, {}).values.dual_cost;
    };
    const TransportData data{a.cloud, b.cloud, a.values, b.values};
    const auto mixed = solve_transport(Communicator::world(), settings, data, {});
    const Real divergence = sinkhorn_divergence(Communicator::world(), settings, data, mixed).value;
    EXPECT_NEAR(divergence, dual(a, b) - 0.5 * dual(a, a) - 0.5 * dual(b, b), 1e-10);
    EXPECT_GT(divergence, 0.0);
  }
}

TEST(SelfTransport, IsLeftToTheGeneralSolverWhereAKernelIsNotPositive) {
  EXPECT_FALSE(is_solved_by_symmetry({"dense", Power{3.0}}));
  EXPECT_FALSE(is_solved_by_symmetry({"separable", PowerAxes{4.0}}));
  EXPECT_TRUE(is_solved_by_symmetry({"separable", PowerAxes{1.5}}));
  EXPECT_TRUE(is_solved_by_symmetry({"dense", Cosine{}}));
}

}  // namespace
}  // namespace hpot
