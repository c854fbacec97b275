#include "hpot/kernel/kernel_benchmarks.hpp"

#include "hpot/kernel/axis_kernels.hpp"
#include "hpot/kernel/dense.hpp"
#include "hpot/kernel/separable.hpp"
#include "hpot/measure/random.hpp"

#include <algorithm>

namespace hpot {
namespace {

/// `more` takes a second output.
using Pass = std::function<void(const AxisCost& cost, const AxisPass& pass, Real* more)>;
using MakeOperator = std::unique_ptr<KernelOperator> (*)(const Grid& grid);

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
  const char* unit = kernel == "log_sum_exp_along" || kernel == "mean_along" ? "effective terms" : "terms";
  const auto prepare = [=] {
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
          unit,
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

/// The first demand's amount is the number of terms; `kernel_values` are what the operator holds.
Benchmark softmin_benchmark(const std::string& kernel, const Grid& grid, Real epsilon, Precision precision,
                            const std::string& unit, const std::vector<Demand>& demands, double kernel_values,
                            MakeOperator make) {
  const double bytes = sizeof(Real) * (2.0 * static_cast<double>(grid.points()) + kernel_values);
  const auto prepare = [=] {
    const std::shared_ptr<KernelOperator> kernel_operator = make(grid);
    kernel_operator->prepare(epsilon);
    kernel_operator->set_precision(precision);
    const Field h = rough_values(grid.points());
    const Field s("hpot::benchmark::s", 1, grid.points());
    return [=] { kernel_operator->softmin(Side::source, h, s); };
  };
  return {kernel, describe(grid), epsilon, text_of(precision), demands.front().amount, unit, demands, bytes, prepare};
}

void add_separable(const Grid& grid, std::vector<Benchmark>& all) {
  const double terms = static_cast<double>(grid.dimension() * grid.points() * grid.axes[0].n);
  const double work = static_cast<double>(grid.points());
  const auto make = [](const Grid& g) {
    return make_separable_operator(SquaredEuclidean{}, g, g, {0, g.points()}, {0, g.points()});
  };
  AxisCost line(SquaredEuclidean{}, grid.axes[0], grid.axes[0]);
  for (const Real epsilon : {squared(grid.axes[0].n - 1) / sum_limit, 16.0, 1.0}) {
    line.prepare(epsilon);
    if (line.fits_product()) {
      all.push_back(softmin_benchmark("separable softmin", grid, epsilon, Precision::full, "terms",
                                      {{Ceiling::multiply_add, terms}}, work, make));
      continue;
    }
    for (const Precision precision : {Precision::mixed, Precision::full}) {
      all.push_back(softmin_benchmark("separable softmin", grid, epsilon, precision, "effective terms",
                                      {{exp_ceiling(precision), terms}}, work, make));
    }
  }
}

void add_point_operators(const Grid& grid, std::vector<Benchmark>& all) {
  const double terms = squared(grid.points());
  const double points = 2.0 * static_cast<double>(grid.points() * grid.dimension());
  all.push_back(softmin_benchmark("dense softmin", grid, 1.0, Precision::full, "terms", {{Ceiling::exp_double, terms}},
                                  points, [](const Grid& g) {
                                    return make_dense_operator(SquaredEuclidean{}, grid_points(g), grid_points(g),
                                                               {0, g.points()}, {0, g.points()});
                                  }));
  all.push_back(softmin_benchmark("stored softmin", grid, 1.0, Precision::full, "terms",
                                  {{Ceiling::exp_double, terms}, {Ceiling::memory_read, sizeof(Real) * terms}},
                                  points + 2.0 * terms, [](const Grid& g) {
                                    return make_stored_operator(SquaredEuclidean{}, grid_points(g), grid_points(g),
                                                                {0, g.points()}, {0, g.points()});
                                  }));
}

double seconds_of(const Demand& demand, const Ceilings& ceilings) {
  return demand.amount / ceilings.at(demand.ceiling).per_second();
}

}  // namespace

Ceiling Benchmark::binding(const Ceilings& ceilings) const {
  const auto less = [&](const Demand& a, const Demand& b) { return seconds_of(a, ceilings) < seconds_of(b, ceilings); };
  return std::max_element(demands.begin(), demands.end(), less)->ceiling;
}

double Benchmark::bound(const Ceilings& ceilings) const {
  double seconds = 0.0;
  for (const Demand& demand : demands) seconds = std::max(seconds, seconds_of(demand, ceilings));
  return seconds;
}

std::vector<Benchmark> kernel_benchmarks(const BenchmarkSizes& sizes) {
  std::vector<Benchmark> all;
  add_axis_kernels(sizes.volume, all);
  add_separable(cube(sizes.volume, 3), all);
  add_separable(cube(sizes.image, 2), all);
  add_point_operators(cube(sizes.points, 2), all);
  return all;
}

}  // namespace hpot
