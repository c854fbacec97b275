// Gradients of the solved value against its central differences. On any number of ranks.
#include "hpot/problem/transport_gradient.hpp"

#include "hpot/measure/synthetic_points.hpp"
#include "transport.hpp"

#include <gtest/gtest.h>

namespace hpot {
namespace {

using test::Values;

constexpr Real epsilon = 0.05;

/// Two clouds and what joins them; weights of any mass.
struct Pair {
  int dimension;
  Values x, y, a, b;
  TransportSettings settings;

  Pair(const Cost& cost, const std::string& source_penalty, const std::string& target_penalty, int axes = 2)
      : dimension(axes),
        x(reference::random_values(13 * axes, 1, 0.0, 1.0)),
        y(reference::random_values(11 * axes, 2, 0.2, 1.3)),
        a(test::random_measure(13, 3, 0.2)),
        b(test::random_measure(11, 4, 0.2)),
        settings(test::transport_settings(epsilon, 1e-12)) {
    settings.kernel = {"auto", cost};
    settings.source_penalty = source_penalty;
    settings.target_penalty = target_penalty;
    settings.schedule.multiscale = false;
    if (source_penalty == "balanced" && target_penalty == "balanced") return;
    for (Real& weight : a) weight *= 1.7;
  }

  [[nodiscard]] TransportData data() const {
    return {make_cloud(dimension, x),
            make_cloud(dimension, y),
            a,
            b,
            parse_penalty(settings.source_penalty),
            parse_penalty(settings.target_penalty)};
  }
  [[nodiscard]] TransportSolution solved() const {
    return solve_transport(Communicator::world(), settings, data(), {});
  }
  [[nodiscard]] Real value() const {
    const TransportSolution solution = solved();
    EXPECT_EQ(solution.outcome.reason, StopReason::converged);
    return solution.values.dual_cost;
  }
};

struct Gradients {
  Values a, b, x, y;  // places as (axis, point)
};

Gradients gradients_of(const Pair& pair) {
  const TransportSolution solution = pair.solved();
  const TransportData data = pair.data();
  TransportProblem problem = make_transport_problem(pair.settings.kernel, data, Communicator::world());
  problem.epsilon = epsilon;
  const auto all = [](const OwnedRows& rows, const Field& field) {
    Values whole;
    for (std::size_t d = 0; d < field.extent(0); ++d) {
      const Field full = make_unset_field("whole", 1, rows.partition.global_n());
      rows.along_rows.gather_points(copy_of(Kokkos::subview(field, std::make_pair(d, d + 1), Kokkos::ALL)), full,
                                    rows.partition.offsets());
      const Values one = host_values(full);
      whole.insert(whole.end(), one.begin(), one.end());
    }
    return whole;
  };
  const auto places = [&](Side side) {
    return place_gradient(problem, side, pair.settings.kernel, data.source_support, data.target_support, solution.f,
                          solution.g);
  };
  const WeightGradient weights = weight_gradient(problem, solution.f, solution.g);
  return {all(problem.source.rows, weights.source), all(problem.target.rows, weights.target),
          all(problem.source.rows, places(Side::source)), all(problem.target.rows, places(Side::target))};
}

/// (OT(+h) - OT(-h))/2h.
template <class Change>
Real difference(const Pair& pair, Real step, const Change& change) {
  Pair up = pair, down = pair;
  change(up, step);
  change(down, -step);
  return (up.value() - down.value()) / (2.0 * step);
}

Real largest(const Values& values) {
  Real most = 0.0;
  for (const Real value : values) most = std::max(most, std::abs(value));
  return most;
}

const std::vector<std::pair<const char*, const char*>> penalties{
    {"balanced", "balanced"}, {"kl:0.3", "kl:0.8"},   {"tv:0.2", "tv:0.4"},        {"range:0.7,1.4", "kl:0.5"},
    {"balanced", "kl:0.2"},   {"tv:0.3", "balanced"}, {"range:0.6,1.1", "tv:0.25"}};

TEST(TransportGradient, ByWeightsIsThatOfTheSolvedValue) {
  for (const auto& [source, target] : penalties) {
    const Pair pair(Power{1.5}, source, target);
    const Gradients gradient = gradients_of(pair);
    const bool balanced = source == target;
    const std::string what = std::string(source) + " " + target;
    const Real bound = 1e-6 * std::max(largest(gradient.a), largest(gradient.b));
    constexpr Real step = 1e-5;
    for (const std::size_t i : {3, 8, 12}) {
      if (pair.a[i] == 0.0) continue;
      if (balanced) {  // mass moves along one side; then along both
        EXPECT_NEAR(difference(pair, step, [&](Pair& p, Real h) { p.a[i] += h, p.a[0] -= h; }),
                    gradient.a[i] - gradient.a[0], bound)
            << what;
        EXPECT_NEAR(difference(pair, step, [&](Pair& p, Real h) { p.a[i] += h, p.b[0] += h; }),
                    gradient.a[i] + gradient.b[0], bound)
            << what;
      } else {
        EXPECT_NEAR(difference(pair, step, [&](Pair& p, Real h) { p.a[i] += h; }), gradient.a[i], bound) << what;
      }
    }
    if (balanced) {
      EXPECT_NEAR(test::weighted_sum(pair.a, gradient.a), test::weighted_sum(pair.b, gradient.b), 1e-12);
    } else {
      EXPECT_NEAR(difference(pair, step, [&](Pair& p, Real h) { p.b[0] += h; }), gradient.b[0], bound) << what;
    }
  }
}

TEST(TransportGradient, ByAWeightOfZeroIsThatFromAbove) {
  Pair pair(SquaredEuclidean{}, "kl:0.3", "kl:0.8");
  pair.a[5] = 0.0;
  const Gradients gradient = gradients_of(pair);
  constexpr Real step = 1e-5;
  Pair up = pair;
  up.a[5] = step;
  EXPECT_NEAR((up.value() - pair.value()) / step, gradient.a[5], 1e-4 * largest(gradient.a));
  for (int d = 0; d < 2; ++d) EXPECT_EQ(gradient.x[13 * d + 5], 0.0);
}

TEST(TransportGradient, ByPlacesIsThatOfTheSolvedValue) {
  for (const Cost& cost : {Cost(SquaredEuclidean{}), Cost(Euclidean{}), Cost(Power{1.5}), Cost(PowerAxes{3.0})}) {
    for (const auto& [source, target] : {penalties[0], penalties[1], penalties[6]}) {
      const Pair pair(cost, source, target);
      const Gradients gradient = gradients_of(pair);
      const std::string what = name(cost) + " " + source + " " + target;
      const Real bound = 2e-6 * std::max(largest(gradient.x), largest(gradient.y));
      constexpr Real step = 1e-5;
      for (const std::size_t i : {0, 7}) {
        for (const std::size_t d : {0, 1}) {
          EXPECT_NEAR(difference(pair, step, [&](Pair& p, Real h) { p.x[2 * i + d] += h; }), gradient.x[13 * d + i],
                      bound)
              << what;
          EXPECT_NEAR(difference(pair, step, [&](Pair& p, Real h) { p.y[2 * i + d] += h; }), gradient.y[11 * d + i],
                      bound)
              << what;
        }
      }
    }
  }
}

TEST(TransportGradient, OfManyAxesIsThatOfTheSolvedValue) {
  const Pair pair(Euclidean{}, "balanced", "kl:2", 11);
  const Gradients gradient = gradients_of(pair);
  for (const std::size_t d : {0, 7, 8, 10}) {
    EXPECT_NEAR(difference(pair, 1e-5, [&](Pair& p, Real h) { p.x[d] += h; }), gradient.x[13 * d],
                2e-6 * largest(gradient.x))
        << d;
  }
}

TEST(TransportGradient, OfTheDivergenceIsMadeOfThoseOfItsParts) {
  const Pair pair(Euclidean{}, "kl:0.3", "kl:0.8");
  Pair self = pair;
  self.y = pair.x;
  self.b = pair.a;
  self.settings.target_penalty = pair.settings.source_penalty;
  const Gradients mixed = gradients_of(pair), own = gradients_of(self);
  const auto divergence = [](const Pair& p) {
    return sinkhorn_divergence(Communicator::world(), p.settings, p.data(), p.solved()).value;
  };
  const auto slope = [&](const auto& change) {
    constexpr Real step = 1e-5;
    Pair up = pair, down = pair;
    change(up, step);
    change(down, -step);
    return (divergence(up) - divergence(down)) / (2.0 * step);
  };
  const Real excess =
      std::accumulate(pair.a.begin(), pair.a.end(), -std::accumulate(pair.b.begin(), pair.b.end(), 0.0));
  for (const std::size_t i : {0, 9}) {
    EXPECT_NEAR(slope([&](Pair& p, Real h) { p.a[i] += h; }),
                mixed.a[i] - 0.5 * (own.a[i] + own.b[i]) + epsilon * excess, 1e-6 * largest(mixed.a));
    EXPECT_NEAR(slope([&](Pair& p, Real h) { p.x[2 * i + 1] += h; }),
                mixed.x[13 + i] - 0.5 * (own.x[13 + i] + own.y[13 + i]), 2e-6 * largest(mixed.x));
  }
}

TEST(TransportGradient, OfEqualPointsIsZero) {
  Pair pair(Euclidean{}, "balanced", "balanced");
  pair.x.assign(pair.x.size(), 0.5);
  pair.y.assign(pair.y.size(), 0.5);
  EXPECT_EQ(largest(gradients_of(pair).x), 0.0);
}

}  // namespace
}  // namespace hpot
