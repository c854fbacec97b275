#include "hpot/kernel/cost_matrix.hpp"
#include "hpot/kernel/dense.hpp"
#include "hpot/kernel/kernel_benchmarks.hpp"
#include "hpot/measure/random.hpp"

#include <cmath>

namespace hpot {

std::shared_ptr<const CostMatrix> synthetic_matrix(Index n, Range owned, Precision storage) {
  auto matrix = std::make_shared<CostMatrix>();
  matrix->rows = matrix->columns = n;
  matrix->largest = 1.05;
  const RandomStream noise(1, "benchmark/matrix", 0);
  const auto fill = [&](const auto& rows) {
    const auto host = Kokkos::create_mirror_view(rows);
    for (Index i = owned.begin; i < owned.end; ++i) {
      for (Index j = 0; j < n; ++j) {
        const Real away = static_cast<Real>(i - j) / static_cast<Real>(n);
        const Real rough = 0.05 * static_cast<Real>(noise.bits(i * n + j) >> 11) * 0x1p-53;
        host(i - owned.begin, j) = static_cast<std::decay_t<decltype(host(0, j))>>(away * away + rough);
      }
    }
    Kokkos::deep_copy(rows, host);
  };
  if (storage == Precision::mixed) {
    matrix->narrow = CostMatrix::Rows<float>("hpot::benchmark::costs", owned.size(), padded_columns(n));
    fill(matrix->narrow);
  } else {
    matrix->wide = CostMatrix::Rows<Real>("hpot::benchmark::costs", owned.size(), padded_columns(n));
    fill(matrix->wide);
  }
  return matrix;
}

namespace {

constexpr Real epsilon_of_matrix = 0.02;  // of costs up to 1
constexpr Real epsilon_of_points = 1e-3;  // of the largest cost

using MakeOperator = std::function<std::shared_ptr<KernelOperator>()>;

/// A sweep of n points against themselves, in one visit to all pairs or in one for each half-step.
Benchmark sweep_benchmark(const std::string& kernel, const std::string& size, Index n, Real epsilon,
                          Precision precision, bool once, double bytes_of_visit, const MakeOperator& make) {
  const double pairs = static_cast<double>(n) * static_cast<double>(n);
  const bool mixed = precision == Precision::mixed;
  const double visits = once ? 1.0 : 2.0;
  const auto prepare = [=](Benchmark&) {
    const auto op = make();
    op->prepare(epsilon);
    op->set_precision(precision);
    const Field log_weight("hpot::benchmark::log_weight", 1, n);
    Kokkos::deep_copy(log_weight, -std::log(static_cast<Real>(n)));
    const Field f("hpot::benchmark::f", 1, n);
    const Field s("hpot::benchmark::s", 1, n);
    const Field g("hpot::benchmark::g", 1, n);
    return [=] {
      if (once && op->sweep({log_weight, Balanced{}, log_weight, g}, f, s)) return;
      op->softmin(Side::source, log_weight, f);
      op->softmin(Side::target, log_weight, s);
    };
  };
  constexpr double values_a_point = 40.0;
  return {kernel + (once ? " sweep at one visit" : " sweep at two visits"),
          size,
          epsilon,
          mixed ? "mixed" : "double",
          pairs,
          "pairs",
          {{mixed ? Ceiling::exp_float : Ceiling::exp_double, visits * pairs},
           {Ceiling::memory_read, visits * bytes_of_visit}},
          bytes_of_visit + values_a_point * sizeof(Real) * static_cast<double>(n),
          prepare};
}

void add_points(const Communicator& self, Index side, int dimension, std::vector<Benchmark>& all) {
  const Grid grid = make_grid(std::vector<Index>(dimension, side), std::vector<Real>(dimension, 1.0));
  const Real largest = static_cast<Real>(dimension) * static_cast<Real>((side - 1) * (side - 1));
  std::string size = std::to_string(side);
  for (int d = 1; d < dimension; ++d) size += "x" + std::to_string(side);
  for (const Precision precision : {Precision::mixed, Precision::full}) {
    for (const bool once : {false, true}) {
      all.push_back(
          sweep_benchmark("dense", size, grid.points(), epsilon_of_points * largest, precision, once, 0.0, [=] {
            const Points points = grid_points(grid);
            const Range rows{0, grid.points()};
            return make_dense_operator(SquaredEuclidean{}, points, points, rows, rows, self);
          }));
    }
  }
}

/// Points in a cube of many dimensions: their costs are nearly all of the work.
void add_high_dimension(const Communicator& self, Index n, std::vector<Benchmark>& all) {
  constexpr int dimension = 64;
  constexpr Real mean_cost = 2.0 * dimension;
  for (const Precision precision : {Precision::mixed, Precision::full}) {
    all.push_back(sweep_benchmark("dense", std::to_string(n) + "x64-D", n, 0.1 * mean_cost, precision, true, 0.0, [=] {
      const Points points("hpot::benchmark::points", n, dimension);
      const auto host = Kokkos::create_mirror_view(points);
      RandomStream random(1, "benchmark/points", 0);
      for (Index p = 0; p < n; ++p) {
        for (int d = 0; d < dimension; ++d) host(p, d) = random.uniform(-1.7, 1.7);
      }
      Kokkos::deep_copy(points, host);
      return make_dense_operator(SquaredEuclidean{}, points, points, {0, n}, {0, n}, self);
    }));
    all.back().demands.push_back({Ceiling::multiply_add, dimension * static_cast<double>(n) * static_cast<double>(n)});
    all.back().bytes += 4.0 * sizeof(Real) * dimension * static_cast<double>(n);
  }
}

void add_matrix(const Communicator& self, Index n, std::vector<Benchmark>& all) {
  const std::string size = std::to_string(n) + "x" + std::to_string(n);
  for (const Precision precision : {Precision::mixed, Precision::full}) {
    const double bytes = static_cast<double>(n) * static_cast<double>(n) *
                         (precision == Precision::mixed ? sizeof(float) : sizeof(Real));
    for (const bool once : {false, true}) {
      all.push_back(sweep_benchmark("matrix", size, n, epsilon_of_matrix, precision, once, bytes, [=] {
        const OwnedRows rows{Partition(n, 1, 1), self};
        return make_matrix_operator(synthetic_matrix(n, {0, n}, precision), rows, rows);
      }));
    }
  }
}

}  // namespace

std::vector<Benchmark> pair_benchmarks(const Communicator& self, Index side) {
  std::vector<Benchmark> all;
  add_points(self, side, 2, all);
  add_points(self, std::llround(std::cbrt(static_cast<Real>(side * side))), 3, all);
  add_high_dimension(self, side * side, all);
  add_matrix(self, side * side, all);
  return all;
}

}  // namespace hpot
