#include "hpot/problem/problem_benchmarks.hpp"

#include "hpot/kernel/registry.hpp"
#include "hpot/problem/transport_problem.hpp"

#include <cmath>

namespace hpot {
namespace {

using Work = void (*)(const Marginal& marginal, const Field& f);

Benchmark benchmark(const Communicator& self, Index side, const char* kernel, double bytes, double exps, Work work) {
  const Grid grid = make_grid({side, side, side}, {1.0, 1.0, 1.0});
  const auto prepare = [=](Benchmark&) {
    const Field weight("hpot::benchmark::weight", 1, grid.points());
    const Field f("hpot::benchmark::f", 1, grid.points());
    Kokkos::deep_copy(weight, 1.0);
    Kokkos::deep_copy(f, 0.5);
    const Marginal marginal = make_marginal(own_rows(grid, self), weight, Balanced{});
    return [=] { work(marginal, f); };
  };
  const double points = static_cast<double>(grid.points());
  const std::string n = std::to_string(side);
  return {kernel,
          n + "x" + n + "x" + n,
          0.0,
          "double",
          points,
          "points",
          {{Ceiling::memory_read, bytes * points}, {Ceiling::exp_double, exps * points}},
          3.0 * sizeof(Real) * points,
          prepare};
}

}  // namespace

std::vector<Benchmark> problem_benchmarks(const Communicator& self, Index array_bytes) {
  const auto side = static_cast<Index>(std::cbrt(static_cast<double>(array_bytes) / sizeof(Real)) + 1e-6);
  return {
      benchmark(self, side, "add_log_weight", 24.0, 0.0,
                [](const Marginal& m, const Field& f) { add_log_weight(m.log_weight, f, 1.0, f); }),
      benchmark(self, side, "residual", 24.0, 2.0,
                [](const Marginal& m, const Field& f) { residual(m, f, m.log_weight, 1.0); }),
      benchmark(self, side, "mass (tile sums)", 8.0, 0.0,
                [](const Marginal& m, const Field&) { mass(m.rows, m.weight); }),
  };
}

}  // namespace hpot
