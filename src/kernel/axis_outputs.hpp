// The form of the axis kernels for GPUs, and for CPUs without vectors: one output per work item, lines fastest, every term
// of a line. Part of axis_kernels.cpp.
#pragma once

#include "axis_tiles.hpp"

namespace hpot {
namespace {

struct Output {
  Index k, i, line;
};

struct OutputWork {
  AxisPass pass;
  Tables tables;

  OutputWork(const AxisCost& axis, const AxisPass& p) : pass(p), tables(axis) {}
  [[nodiscard]] Index items() const { return pass.batch * pass.count * pass.lines; }
  KOKKOS_FORCEINLINE_FUNCTION Output output(Index rank) const {
    return {rank / pass.lines / pass.count, rank / pass.lines % pass.count, rank % pass.lines};
  }
  KOKKOS_FORCEINLINE_FUNCTION Real at(const Real* array, const Output& o, Index j) const {
    return array[(o.k * tables.n_in + j) * pass.lines + o.line];
  }
  KOKKOS_FORCEINLINE_FUNCTION Index out_index(const Output& o) const {
    return (o.k * pass.lines + o.line) * pass.count + o.i;
  }
  KOKKOS_FORCEINLINE_FUNCTION Real top(const Output& o) const {
    const Real* row = tables.row(tables.scaled, pass.first + o.i);
    Real value = 2.0 * log_zero;
    for (Index j = 0; j < tables.n_in; ++j) value = Kokkos::max(value, at(pass.in, o, j) - row[-tables.step_in * j]);
    return value;
  }
};

template <Precision precision>
struct LogSumExpOutputs {
  OutputWork work;
  KOKKOS_FUNCTION void operator()(Index rank) const {
    const Output o = work.output(rank);
    const Real* row = work.tables.row(work.tables.scaled, work.pass.first + o.i);
    const Real top = work.top(o);
    Real sum = 0.0;
    for (Index j = 0; j < work.tables.n_in; ++j) {
      const Real exponent = (work.at(work.pass.in, o, j) - top) - row[-work.tables.step_in * j];
      if constexpr (precision == Precision::mixed) {
        sum += Kokkos::exp(static_cast<float>(Kokkos::max(exponent, -87.0)));
      } else {
        sum += Kokkos::exp(exponent);
      }
    }
    work.pass.out[work.out_index(o)] = top + Kokkos::log(sum);
  }
};

template <MeanOf what>
struct MeanOutputs {
  OutputWork work;
  const Real* in_mean;
  Real* out_mean;
  KOKKOS_FUNCTION void operator()(Index rank) const {
    const Output o = work.output(rank);
    const Real* scaled = work.tables.row(work.tables.scaled, work.pass.first + o.i);
    const Real* cost = work.tables.row(work.tables.cost, work.pass.first + o.i);
    const Real top = work.top(o);
    Real sum = 0.0;
    Real moment = 0.0;
    for (Index j = 0; j < work.tables.n_in; ++j) {
      const Real weight = Kokkos::exp((work.at(work.pass.in, o, j) - top) - scaled[-work.tables.step_in * j]);
      sum += weight;
      Real value = in_mean != nullptr ? work.at(in_mean, o, j) : 0.0;
      if (what == MeanOf::values_and_costs) value += cost[-work.tables.step_in * j];
      moment += weight * value;
    }
    work.pass.out[work.out_index(o)] = top + Kokkos::log(sum);
    out_mean[work.out_index(o)] = top > 0.5 * log_zero ? moment / sum : 0.0;
  }
};

struct MaxOutputs {
  OutputWork work;
  Real sign;
  KOKKOS_FUNCTION void operator()(Index rank) const {
    const Output o = work.output(rank);
    const Real* cost = work.tables.row(work.tables.cost, work.pass.first + o.i);
    Real best = log_zero;
    for (Index j = 0; j < work.tables.n_in; ++j) {
      const Real value = work.at(work.pass.in, o, j);
      if (value > 0.5 * log_zero) best = Kokkos::max(best, value + sign * cost[-work.tables.step_in * j]);
    }
    work.pass.out[work.out_index(o)] = best;
  }
};

template <class Functor>
void run_outputs(const char* label, const Functor& functor) {
  Kokkos::parallel_for(label, Kokkos::RangePolicy<ExecutionSpace, Kokkos::IndexType<Index>>(0, functor.work.items()),
                       functor);
}

}  // namespace
}  // namespace hpot
