#include "heat_kernel.hpp"
#include "hpot/core/field.hpp"

#include <algorithm>
#include <numbers>
#include <stdexcept>
#include <utility>

namespace hpot {
namespace {

using PointsOfBatch = Kokkos::MDRangePolicy<ExecutionSpace, Kokkos::Rank<2>, Kokkos::IndexType<Index>>;

PointsOfBatch all_points(const ConstField& field) {
  return PointsOfBatch({0, 0}, {static_cast<Index>(field.extent(0)), static_cast<Index>(field.extent(1))});
}

template <class Value>
Kokkos::View<const Value*, MemorySpace> on_device(const std::vector<Value>& values) {
  Kokkos::View<Value*, MemorySpace> copy(Kokkos::view_alloc("hpot::HeatIterations", Kokkos::WithoutInitializing),
                                         values.size());
  Kokkos::deep_copy(
      copy, Kokkos::View<const Value*, Kokkos::HostSpace, Kokkos::MemoryUnmanaged>(values.data(), values.size()));
  return copy;
}

/// A by rows: N and D.
struct HeatStep {
  Kokkos::View<const Index*, MemorySpace> first, column;
  Kokkos::View<const Real*, MemorySpace> weight, diagonal;

  KOKKOS_INLINE_FUNCTION Real iterate(const ConstField& b, const ConstField& x, Index k, Index i) const {
    Real sum = b(k, i);
    for (Index e = first(i); e < first(i + 1); ++e) sum += weight(e) * x(k, column(e));
    return sum / diagonal(i);
  }
};

HeatStep step_of(const HeatMatrices& matrices, Real time) {
  const auto n = static_cast<Index>(matrices.mass.size());
  std::vector<Real> diagonal = matrices.mass;
  std::vector<std::vector<std::pair<Index, Real>>> rows(n);
  const auto add = [&](Index row, Index column, Real value) {
    for (auto& [at, sum] : rows[row]) {
      if (at != column) continue;
      sum += value;
      return;
    }
    rows[row].emplace_back(column, value);
  };
  for (const MatrixEntry& entry : matrices.stiffness) {
    if (entry.row == entry.column) {
      diagonal[entry.row] += time * entry.value;
      continue;
    }
    add(entry.row, entry.column, -time * entry.value);
    add(entry.column, entry.row, -time * entry.value);
  }
  std::vector<Index> first{0}, column;
  std::vector<Real> weight;
  for (auto& row : rows) {
    std::sort(row.begin(), row.end());
    for (const auto& [at, value] : row) {
      column.push_back(at);
      weight.push_back(value);
    }
    first.push_back(static_cast<Index>(column.size()));
  }
  return {on_device(first), on_device(column), on_device(weight), on_device(diagonal)};
}

void iterate(const HeatStep& step, const ConstField& b, const ConstField& x, const Field& next) {
  Kokkos::parallel_for(
      "hpot::HeatIterations::iterate", all_points(b),
      KOKKOS_LAMBDA(Index k, Index i) { next(k, i) = step.iterate(b, x, k, i); });
}

/// The same; returns the largest increment relative to its value.
Real iterate_and_compare(const HeatStep& step, const ConstField& b, const ConstField& x, const Field& next) {
  Real largest = 0.0;
  Kokkos::parallel_reduce(
      "hpot::HeatIterations::iterate_and_compare", all_points(b),
      KOKKOS_LAMBDA(Index k, Index i, Real & most) {
        const Real value = step.iterate(b, x, k, i);
        next(k, i) = value;
        const Real change = value > 0.0 ? (value - x(k, i)) / value : 0.0;
        most = change > most ? change : most;
      },
      Kokkos::Max<Real>(largest));
  return largest;
}

void divide(const ConstField& b, const HeatStep& step, const Field& x) {
  Kokkos::parallel_for(
      "hpot::HeatIterations::divide", all_points(b),
      KOKKOS_LAMBDA(Index k, Index i) { x(k, i) = b(k, i) / step.diagonal(i); });
}

void times(const Kokkos::View<const Real*, MemorySpace>& mass, const Field& u) {
  Kokkos::parallel_for(
      "hpot::HeatIterations::times", all_points(u), KOKKOS_LAMBDA(Index k, Index i) { u(k, i) *= mass(i); });
}

/// positive - negative = u, both >= 0; u becomes positive.
void split(const Field& u, const Field& negative) {
  Kokkos::parallel_for(
      "hpot::HeatIterations::split", all_points(u), KOKKOS_LAMBDA(Index k, Index i) {
        const Real value = u(k, i);
        negative(k, i) = value < 0.0 ? -value : 0.0;
        u(k, i) = value > 0.0 ? value : 0.0;
      });
}

class HeatIterations final : public HeatKernel {
 public:
  HeatIterations(const HeatMatrices& matrices, Index steps, Real epsilon)
      : steps_(steps),
        scale_(std::numbers::pi * epsilon),
        step_(step_of(matrices, 0.25 * epsilon / static_cast<Real>(steps))),
        mass_(on_device(matrices.mass)) {}

  void apply(const Field& u) const override {
    const Field x = make_unset_field("hpot::HeatIterations::x", static_cast<Index>(u.extent(0)), mass_.extent(0));
    const Field next = make_unset_field("hpot::HeatIterations::next", static_cast<Index>(u.extent(0)), mass_.extent(0));
    for (Index step = 0; step < steps_; ++step) {
      if (step > 0) times(mass_, u);
      solve(u, x, next);
      combine(step + 1 == steps_ ? scale_ : 1.0, x, 0.0, u);
    }
  }

  void apply_signed(const Field& u) const override {
    const Field negative = make_unset_field("hpot::HeatIterations::negative", static_cast<Index>(u.extent(0)),
                                            static_cast<Index>(u.extent(1)));
    split(u, negative);
    apply(u);
    apply(negative);
    combine(-1.0, negative, 1.0, u);
  }

 private:
  void solve(const ConstField& b, const Field& x, const Field& next) const {
    constexpr Real enough = 1e-14;
    constexpr Index between_looks = 8, most_looks = 100000;
    divide(b, step_, x);
    for (Index look = 0; look < most_looks; ++look) {
      for (Index l = 0; l < between_looks; l += 2) {
        iterate(step_, b, x, next);
        iterate(step_, b, next, x);
      }
      iterate(step_, b, x, next);
      if (iterate_and_compare(step_, b, next, x) <= enough) return;
    }
    throw std::logic_error("HeatIterations: the iteration does not end");
  }

  Index steps_;
  Real scale_;
  HeatStep step_;
  Kokkos::View<const Real*, MemorySpace> mass_;
};

}  // namespace

std::unique_ptr<HeatKernel> make_heat_iterations(const HeatMatrices& matrices, Index steps, Real epsilon) {
  return std::make_unique<HeatIterations>(matrices, steps, epsilon);
}

}  // namespace hpot
