// Over-relaxed half-steps: every one raises the dual, and the solution is that of plain sweeps.
#include "hpot/core/field.hpp"

#include "transport.hpp"

#include <gtest/gtest.h>

#include <random>

namespace hpot {
namespace {

using test::Values;

TEST(OverrelaxedHalfStep, WinsItsPartOfThePlainOnesGainAtEveryPoint) {
  constexpr Real epsilon = 0.5;
  std::mt19937_64 random(1);
  std::uniform_real_distribution<Real> wide(-6.0, 6.0);
  const Index n = 2000;
  for (const char* text : {"balanced", "kl:0.7", "tv:2", "range:0.5,1.5"}) {
    const MarginalPenalty any = parse_penalty(text);
    for (const Real w : {1.2, 1.6, 1.9, 1.98}) {
      Values f(n);
      Values s(n);
      for (Index i = 0; i < n; ++i) {
        f[i] = std::clamp(wide(random), -reach(any), reach(any));
        s[i] = i % 2 == 0 ? f[i] + 0.1 * wide(random) : wide(random);
      }
      const Field moved = reference::field_of(s);
      relax(any, reference::field_of(f), epsilon, w, moved);
      const Values x = host_values(moved);
      Index over = 0;
      std::visit(
          [&](const auto& penalty) {
            for (Index i = 0; i < n; ++i) {
              const auto dual = [&](long double at) {
                return static_cast<long double>(penalty.dual(1.0, static_cast<Real>(at))) -
                       epsilon * std::exp((at - static_cast<long double>(s[i])) / epsilon);
              };
              const Real plain = penalty.prox(s[i], epsilon);
              const long double least = 0.5L * w * (2.0L - w) * (dual(plain) - dual(f[i]));
              EXPECT_GE(dual(x[i]) - dual(f[i]), least - 1e-12L * (1.0L + std::abs(dual(f[i])))) << text << " w " << w;
              if (x[i] != plain) ++over;
            }
          },
          any);
      EXPECT_GT(over, n / 20) << text << " w " << w;  // the rule is no excuse to do plain steps only
    }
  }
}

TEST(Overrelaxation, FindsThePotentialsOfPlainSweepsInFarFewer) {
  const Grid grid = make_grid({24, 20}, {1.0, 1.0});
  const Values a = test::random_measure(grid.points(), 1, 0.3);
  const Values b = test::random_measure(grid.points(), 2, 0.3);
  for (const char* penalty : {"balanced", "kl:20", "tv:8"}) {
    TransportSettings settings = test::transport_settings(0.5, 1e-9, penalty);
    settings.acceleration.type = "none";
    settings.finish.finish = "none";
    settings.stopping.max_iterations = 200000;
    settings.schedule.stage_tolerance = 0.05;  // what is compared is the last stage
    const auto plain = test::solve_alone(settings, grid, a, b);
    settings.acceleration.type = "overrelaxation";
    const auto over = test::solve_alone(settings, grid, a, b);
    ASSERT_EQ(plain.outcome.reason, StopReason::converged) << penalty;
    ASSERT_EQ(over.outcome.reason, StopReason::converged) << penalty;
    EXPECT_LE(std::max(over.values.residual_source, over.values.residual_target), 1.01e-9) << penalty;
    EXPECT_NEAR(over.values.dual_cost, plain.values.dual_cost, 1e-7 * plain.values.dual_cost) << penalty;
    EXPECT_NEAR(over.values.transport_cost, plain.values.transport_cost, 1e-5 * plain.values.transport_cost) << penalty;
    EXPECT_LT(3 * over.outcome.iterations, plain.outcome.iterations) << penalty;
  }
}

}  // namespace
}  // namespace hpot
