#include "hpot/kernel/kernel_benchmarks.hpp"

#include "hpot/kernel/axis_kernels.hpp"
#include "hpot/kernel/kept_weights.hpp"
#include "hpot/kernel/separable.hpp"
#include "hpot/measure/random.hpp"

#include <algorithm>
#include <cmath>

namespace hpot {
namespace {

/// `more` takes a second output.
using Pass = std::function<void(const AxisCost& cost, const AxisPass& pass, Real* more)>;

constexpr Real sum_limit = 20.0;       // largest cost / eps of a line that skips nothing
constexpr Real product_limit = 501.0;  // just above what the product form takes

double squared(Index n) { return static_cast<double>(n) * static_cast<double>(n); }

std::string describe(const Grid& grid) {
  std::string text;
  for (const Axis& axis : grid.axes) {
    if (!text.empty()) text += 'x';
    text += std::to_string(axis.n);
  }
  return text;
}

Grid cube(Index side, int dimension) {
  return make_grid(std::vector<Index>(dimension, side), std::vector<Real>(dimension, 1.0));
}

Ceiling exp_ceiling(Precision precision) {
  return precision == Precision::mixed ? Ceiling::exp_float : Ceiling::exp_double;
}
const char* text_of(Precision precision) { return precision == Precision::mixed ? "mixed" : "double"; }

/// Rough log-values in [-4, 0].
Field rough_values(Index n) {
  const Field field("hpot::benchmark", 1, n);
  const auto host = Kokkos::create_mirror_view(field);
  RandomStream random(1, "benchmark", 0);
  for (Index i = 0; i < n; ++i) host(0, i) = random.uniform(-4.0, 0.0);
  Kokkos::deep_copy(field, host);
  return field;
}

Benchmark axis_benchmark(const std::string& kernel, Index n, Real epsilon, const char* precision, Ceiling ceiling,
                         const Pass& run_pass) {
  const double terms = squared(n) * squared(n);
  const auto prepare = [=](Benchmark&) {
    const Axis axis{n, 1.0, 0.0};
    AxisCost cost(SquaredEuclidean{}, axis, axis);
    if (epsilon > 0.0) cost.prepare(epsilon);
    const Field in = rough_values(n * n * n);
    const Field out("hpot::benchmark::out", 2, n * n * n);
    return [=] {
      AxisPass pass;
      pass.in = in.data();
      pass.out = out.data();
      pass.lines = n * n;
      pass.count = n;
      run_pass(cost, pass, out.data() + n * n * n);
    };
  };
  return {kernel,
          describe(cube(n, 3)),
          epsilon,
          precision,
          terms,
          "terms",
          {{ceiling, terms}},
          3.0 * sizeof(Real) * static_cast<double>(n * n * n),
          prepare};
}

Benchmark log_sum_exp_benchmark(Index n, Real epsilon, Precision precision) {
  return axis_benchmark(
      "log_sum_exp_along", n, epsilon, text_of(precision), exp_ceiling(precision),
      [precision](const AxisCost& cost, const AxisPass& pass, Real*) { log_sum_exp_along(cost, pass, precision); });
}

void add_axis_kernels(Index n, std::vector<Benchmark>& all) {
  const Real largest = squared(n - 1);
  for (const Precision precision : {Precision::mixed, Precision::full}) {
    for (const Real epsilon : {largest / sum_limit, largest / product_limit, 16.0, 1.0, 0.25}) {
      all.push_back(log_sum_exp_benchmark(n, epsilon, precision));
    }
  }
  all.push_back(axis_benchmark("product_along", n, largest / sum_limit, "double", Ceiling::multiply_add,
                               [](const auto& cost, const auto& pass, Real*) { product_along(cost, pass); }));
  all.push_back(
      axis_benchmark("mean_along", n, 1.0, "double", Ceiling::exp_double,
                     [](const auto& cost, const auto& pass, Real* mean) { mean_along(cost, pass, pass.in, mean); }));
  all.push_back(axis_benchmark("max_along", n, 0.0, "double", Ceiling::multiply_add,
                               [](const auto& cost, const auto& pass, Real*) { max_along(cost, pass, -1.0); }));
}

/// log b + g/eps with b a normal density and g the potential of a smooth map that stretches the axes by 0.8 to 1.2, shifts
/// them, and depends on all coordinates.
Field potentials_of_a_map(const Grid& grid, Real epsilon) {
  const Field field("hpot::benchmark", 1, grid.points());
  const auto host = Kokkos::create_mirror_view(field);
  const Real n = static_cast<Real>(grid.axes[0].n);
  const Real waves = 6.0 * 3.14159265358979;
  for (Index p = 0; p < grid.points(); ++p) {
    Index rest = p;
    Real g = 0.0;
    Real square = 0.0;
    Real wave = 0.3 / (waves * waves);
    for (int d = grid.dimension() - 1; d >= 0; --d) {
      const Real y = static_cast<Real>(rest % grid.axes[d].n) / n - 0.5;
      const Real stretched = 0.8 + 0.2 * d;
      rest /= grid.axes[d].n;
      g += y * y - stretched * (y - 0.05) * (y - 0.05) - 0.04 * y;
      square += y * y;
      wave *= std::sin(waves * y);
    }
    host(0, p) = (g + wave) * n * n / epsilon - 8.0 * square;
  }
  Kokkos::deep_copy(field, host);
  return field;
}

enum class SweepForm { windows, full_lines, product, average, kept };

/// Every axis of a cube in turn, as the separable operator does.
Benchmark sweep_benchmark(const Grid& grid, Real epsilon, Precision precision, SweepForm form) {
  constexpr const char* names[] = {"sweep in windows", "sweep of full lines", "product sweep", "average in windows",
                                   "average of kept weights"};
  const Index n = grid.axes[0].n;
  const Index points = grid.points();
  const double terms = static_cast<double>(grid.dimension() * points * n);
  const auto prepare = [=](Benchmark& made) {
    AxisCost cost(SquaredEuclidean{}, grid.axes[0], grid.axes[0]);
    cost.prepare(epsilon);
    std::vector<Field> stages{potentials_of_a_map(grid, epsilon)};
    std::vector<AxisPass> passes(grid.dimension());
    std::vector<KeptWeights> kept;
    const Field mean("hpot::benchmark::mean", 1, points);
    const Field other("hpot::benchmark::other", 1, points);
    for (AxisPass& pass : passes) {
      const Field& in = stages.back();
      const Field out("hpot::benchmark::out", 1, points);
      pass = {
          in.data(), out.data(), 1, points / n, 0, n, 0, 1, form == SweepForm::full_lines ? 0.0 : default_window_cut};
      log_sum_exp_along(cost, pass, Precision::full);
      if (form != SweepForm::product) {
        const auto [exps, products] = count_windows(cost, pass);
        if (form == SweepForm::kept) {
          kept.emplace_back(cost, pass, static_cast<Real>(n));
          made.demands.push_back(
              {Ceiling::memory_read, kept.back().bytes() + sizeof(Real) * static_cast<double>(points)});
        } else {
          made.demands.push_back({exp_ceiling(precision), exps});
        }
        made.demands.push_back({Ceiling::multiply_add, form == SweepForm::average ? 2.0 * products : products});
      }
      stages.push_back(out);
    }
    return [=, keep = stages] {
      for (std::size_t d = 0; d < passes.size(); ++d) {
        if (form == SweepForm::product) product_along(cost, passes[d]);
        const Real* from = (d % 2 == 0 ? mean : other).data();
        Real* to = (d % 2 == 0 ? other : mean).data();
        const bool keeps = form == SweepForm::kept && !kept[d].empty();
        if (keeps) kept[d].mean(cost, from, to);
        if (form == SweepForm::average || (form == SweepForm::kept && !keeps)) mean_along(cost, passes[d], from, to);
        if (form == SweepForm::windows || form == SweepForm::full_lines) log_sum_exp_along(cost, passes[d], precision);
      }
    };
  };
  std::vector<Demand> demands;
  if (form == SweepForm::product) demands.push_back({Ceiling::multiply_add, terms});
  return {names[static_cast<int>(form)],
          describe(grid),
          epsilon,
          text_of(precision),
          static_cast<double>(points),
          "points",
          demands,
          (3.0 + grid.dimension()) * sizeof(Real) * static_cast<double>(points),
          prepare};
}

void add_sweeps(const Grid& grid, std::vector<Benchmark>& all) {
  for (const Real epsilon : {0.5, 16.0}) {
    for (const Precision precision : {Precision::mixed, Precision::full}) {
      all.push_back(sweep_benchmark(grid, epsilon, precision, SweepForm::windows));
    }
    all.push_back(sweep_benchmark(grid, epsilon, Precision::mixed, SweepForm::full_lines));
    all.push_back(sweep_benchmark(grid, epsilon, Precision::full, SweepForm::average));
    all.push_back(sweep_benchmark(grid, epsilon, Precision::full, SweepForm::kept));
  }
  all.push_back(sweep_benchmark(grid, squared(grid.axes[0].n - 1) / sum_limit, Precision::full, SweepForm::product));
}

/// The seconds that all demands of one ceiling take.
double seconds_of(Ceiling ceiling, const std::vector<Demand>& demands, const Ceilings& ceilings) {
  double amount = 0.0;
  for (const Demand& demand : demands) amount += demand.ceiling == ceiling ? demand.amount : 0.0;
  return amount / ceilings.at(ceiling).per_second();
}

}  // namespace

Ceiling Benchmark::binding(const Ceilings& ceilings) const {
  const auto less = [&](Ceiling a, Ceiling b) {
    return seconds_of(a, demands, ceilings) < seconds_of(b, demands, ceilings);
  };
  return *std::max_element(all_ceilings.begin(), all_ceilings.end(), less);
}

double Benchmark::bound(const Ceilings& ceilings) const { return seconds_of(binding(ceilings), demands, ceilings); }

std::vector<Benchmark> kernel_benchmarks(const BenchmarkSizes& sizes) {
  std::vector<Benchmark> all;
  add_axis_kernels(sizes.volume, all);
  add_sweeps(cube(sizes.volume, 3), all);
  add_sweeps(cube(sizes.image, 2), all);
  add_sweeps(cube(2 * sizes.image, 2), all);
  return all;
}

}  // namespace hpot
