#include "hpot/kernel/cost_matrix.hpp"
#include "hpot/kernel/kernel_benchmarks.hpp"
#include "hpot/measure/random.hpp"

#include <cmath>

namespace hpot {
namespace {

constexpr Real epsilon = 0.02;  // of costs up to 1

}  // namespace

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

/// A sweep by one visit to the matrix or by one for each half-step; costs are kept as floats where it is mixed.
Benchmark sweep_benchmark(const Communicator& self, Index n, Precision precision, bool once) {
  const double entries = static_cast<double>(n) * static_cast<double>(n);
  const bool mixed = precision == Precision::mixed;
  const double visits = once ? 1.0 : 2.0;
  const double matrix_bytes = entries * (mixed ? sizeof(float) : sizeof(Real));
  const auto prepare = [=](std::vector<Demand>&) {
    const OwnedRows rows{Partition(n, 1, 1), self};
    const auto op = make_matrix_operator(synthetic_matrix(n, {0, n}, precision), rows, rows);
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
  return {once ? "matrix sweep at one visit" : "matrix sweep at two visits",
          std::to_string(n) + "x" + std::to_string(n),
          epsilon,
          mixed ? "mixed" : "double",
          entries,
          "entries",
          {{mixed ? Ceiling::exp_float : Ceiling::exp_double, visits * entries},
           {Ceiling::memory_read, visits * matrix_bytes}},
          matrix_bytes + 10.0 * sizeof(Real) * static_cast<double>(n),
          prepare};
}

}  // namespace

std::vector<Benchmark> matrix_benchmarks(const Communicator& self, Index rows) {
  std::vector<Benchmark> all;
  for (const Precision precision : {Precision::mixed, Precision::full}) {
    for (const bool once : {false, true}) all.push_back(sweep_benchmark(self, rows, precision, once));
  }
  return all;
}

}  // namespace hpot
