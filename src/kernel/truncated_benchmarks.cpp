#include "hpot/kernel/kernel_benchmarks.hpp"

#include "hpot/kernel/registry.hpp"
#include "hpot/kernel/truncated.hpp"
#include "hpot/measure/synthetic_points.hpp"

#include <cmath>
#include <numeric>

namespace hpot {
namespace {

constexpr Real typical_spacings = 2.0;  // eps is their square
constexpr int sweeps_before = 4;        // so that potentials are as a solution has them

Points random_points(Index n, int dimension, Index item) {
  const std::string family = "points?n=" + std::to_string(n) + "&dim=" + std::to_string(dimension);
  return points_of(SquaredEuclidean{}, in_morton_order(synthetic_cloud(family, item)).cloud);
}

/// log b + g/eps of equal weights.
void set_log_values(const Field& g, Real epsilon, const Field& h) {
  const Real log_weight = -std::log(static_cast<Real>(g.extent(1)));
  Kokkos::parallel_for(
      "hpot::benchmark::log_values", Kokkos::RangePolicy<ExecutionSpace, Kokkos::IndexType<Index>>(0, g.extent(1)),
      KOKKOS_LAMBDA(Index j) { h(0, j) = log_weight + g(0, j) / epsilon; });
}

double visited_pairs(const TruncatedKernel& op) {
  double sum = 0.0;
  for (const Side side : {Side::source, Side::target}) {
    const std::vector<Real> pairs = op.visited_pairs(side);
    sum += std::accumulate(pairs.begin(), pairs.end(), 0.0);
  }
  return sum;
}

/// Both half-steps between two clouds in a unit cube.
Benchmark truncated_benchmark(Index n, int dimension, Precision precision) {
  const auto points = static_cast<double>(n);
  const Real epsilon = std::pow(typical_spacings * std::pow(points, -1.0 / dimension), 2);
  const bool mixed = precision == Precision::mixed;
  const auto prepare = [=](Benchmark& made) {
    const std::shared_ptr<TruncatedKernel> op =
        make_truncated_operator(SquaredEuclidean{}, random_points(n, dimension, 0), random_points(n, dimension, 1),
                                {0, n}, {0, n}, default_window_cut);
    op->prepare(epsilon);
    op->set_precision(precision);
    const Field f("hpot::benchmark::f", 1, n);
    const Field g("hpot::benchmark::g", 1, n);
    const Field source("hpot::benchmark::source", 1, n);  // log-values
    const Field target("hpot::benchmark::target", 1, n);
    for (int sweep = 0; sweep < sweeps_before; ++sweep) {
      set_log_values(g, epsilon, target);
      op->softmin(Side::source, target, f);
      set_log_values(f, epsilon, source);
      op->softmin(Side::target, source, g);
    }
    made.amount = visited_pairs(*op);
    made.demands = {{mixed ? Ceiling::exp_float : Ceiling::exp_double, made.amount}};
    return [=] {
      op->softmin(Side::source, target, f);
      op->softmin(Side::target, source, g);
    };
  };
  const double values_a_point = 2.0 * (3.0 * dimension + 8.5);
  return {"truncated sweep",
          std::to_string(n) + "x" + std::to_string(dimension) + "-D",
          epsilon,
          mixed ? "mixed" : "double",
          0.0,
          "terms",
          {},
          values_a_point * sizeof(Real) * points,
          prepare};
}

}  // namespace

std::vector<Benchmark> truncated_benchmarks(Index side) {
  constexpr Index clouds_per_image = 16;
  std::vector<Benchmark> all;
  for (const int dimension : {2, 3}) {
    for (const Precision precision : {Precision::mixed, Precision::full})
      all.push_back(truncated_benchmark(clouds_per_image * side * side, dimension, precision));
  }
  return all;
}

}  // namespace hpot
