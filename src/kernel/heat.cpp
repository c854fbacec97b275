#include "hpot/kernel/heat.hpp"

#include "heat_kernel.hpp"
#include "hpot/core/field.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <type_traits>

namespace hpot {
namespace {

constexpr Real least_exponent = -700.0;  // no number below the normal ones
constexpr Real least_entry = 1e-250;     // of a kernel
constexpr Real least_normal = std::numeric_limits<Real>::min();

using PointsOfBatch = Kokkos::MDRangePolicy<ExecutionSpace, Kokkos::Rank<2>, Kokkos::IndexType<Index>>;
using Components = Kokkos::View<const Index*, MemorySpace>;

PointsOfBatch all_points(const ConstField& field) {
  return PointsOfBatch({0, 0}, {static_cast<Index>(field.extent(0)), static_cast<Index>(field.extent(1))});
}

/// The largest h of every component.
Field largest_of(const Components& component, Index components, const ConstField& h) {
  const Field tops = make_unset_field("hpot::HeatOperator::tops", static_cast<Index>(h.extent(0)), components);
  Kokkos::deep_copy(tops, log_zero);
  Kokkos::parallel_for(
      "hpot::HeatOperator::largest_of", all_points(h),
      KOKKOS_LAMBDA(Index k, Index j) { Kokkos::atomic_max(&tops(k, component(j)), h(k, j)); });
  return tops;
}

/// u = exp(h - top).
void take_exponentials(const Components& component, const ConstField& h, const ConstField& tops, const Field& u) {
  Kokkos::parallel_for(
      "hpot::HeatOperator::take_exponentials", all_points(h), KOKKOS_LAMBDA(Index k, Index j) {
        const Real exponent = h(k, j) - tops(k, component(j));
        const bool counts = h(k, j) > 0.5 * log_zero && exponent > least_exponent;
        u(k, j) = counts ? Kokkos::exp(exponent) : 0.0;
      });
}

void take_softmin(const Components& component, const ConstField& tops, const ConstField& sums, Index first,
                  Real epsilon, const Field& s) {
  Kokkos::parallel_for(
      "hpot::HeatOperator::take_softmin", all_points(s), KOKKOS_LAMBDA(Index k, Index i) {
        const Real top = tops(k, component(first + i));
        const Real sum = sums(k, first + i) > least_normal ? sums(k, first + i) : least_normal;
        s(k, i) = top <= 0.5 * log_zero ? -epsilon * log_zero : -epsilon * (top + Kokkos::log(sum));
      });
}

void multiply(const ConstField& u, const ConstField& v, const Field& product) {
  Kokkos::parallel_for(
      "hpot::HeatOperator::multiply", all_points(u),
      KOKKOS_LAMBDA(Index k, Index j) { product(k, j) = u(k, j) * v(k, j); });
}

void take_mean(const ConstField& moments, const ConstField& sums, Index first, const Field& mean) {
  Kokkos::parallel_for(
      "hpot::HeatOperator::take_mean", all_points(mean), KOKKOS_LAMBDA(Index k, Index i) {
        const Real sum = sums(k, first + i);
        mean(k, i) = sum > 0.0 ? moments(k, first + i) / sum : 0.0;
      });
}

class HeatOperator final : public KernelOperator {
 public:
  HeatOperator(const Mesh& mesh, Index steps, HeatSolver solver, Range source_rows, Range target_rows)
      : matrices_(mesh),
        steps_(steps),
        solver_(solver),
        first_{source_rows.begin, target_rows.begin},
        components_(mesh.components) {
    const Kokkos::View<Index*, MemorySpace> component("hpot::HeatOperator::component", mesh.points());
    const Kokkos::View<const Index*, Kokkos::HostSpace, Kokkos::MemoryUnmanaged> given(mesh.component->data(),
                                                                                       mesh.points());
    Kokkos::deep_copy(component, given);
    component_ = component;
  }

  void prepare(Real epsilon) override {
    if (kernel_ && epsilon == epsilon_) return;
    epsilon_ = epsilon;
    kernel_.reset();  // before the next one takes its memory
    kernel_ = solver_ == HeatSolver::factor ? make_heat_factor(matrices_, steps_, epsilon)
                                            : make_heat_iterations(matrices_, steps_, epsilon);
  }
  void set_precision(Precision) override {}
  [[nodiscard]] KnownCosts known_costs() const override { return KnownCosts::none; }

  void softmin(Side side, const ConstField& h, const Field& s) const override {
    const Field tops = largest_of(component_, components_, h);
    const Field sums = like(h);
    take_exponentials(component_, h, tops, sums);
    kernel_->apply(sums);
    take_softmin(component_, tops, sums, first(side), epsilon_, s);
  }

  void average(Side side, const ConstField& h, const ConstField& v, const Field& mean) const override {
    const Field sums = like(h);
    const Field moments = like(h);
    take_exponentials(component_, h, largest_of(component_, components_, h), sums);
    multiply(sums, v, moments);
    kernel_->apply(sums);
    kernel_->apply_signed(moments);
    take_mean(moments, sums, first(side), mean);
  }

  void average_cost(Side, const ConstField&, const Field&) const override { no_costs(); }
  void hard_min(Side, const ConstField&, const Field&) const override { no_costs(); }
  void hard_max(Side, const ConstField&, const Field&) const override { no_costs(); }

 private:
  [[noreturn]] static void no_costs() { throw std::logic_error("HeatOperator: there is no explicit cost"); }
  static Field like(const ConstField& h) {
    return make_unset_field("hpot::HeatOperator::sums", static_cast<Index>(h.extent(0)),
                            static_cast<Index>(h.extent(1)));
  }
  [[nodiscard]] Index first(Side side) const { return first_[side == Side::source ? 0 : 1]; }

  HeatMatrices matrices_;
  Index steps_;
  HeatSolver solver_;
  Index first_[2];
  Index components_;
  Components component_;
  Real epsilon_ = 0.0;
  std::unique_ptr<HeatKernel> kernel_;
};

/// The least entry of the kernel, between vertices far from one another, sought from the first vertex of every component.
Real least_of_kernel(const Mesh& mesh, const HeatKernel& kernel) {
  constexpr int rounds = 3;
  Real least = infinity;
  for (Index c = 0; c < mesh.components; ++c) {
    const std::vector<Index>& component = *mesh.component;
    Index from = std::find(component.begin(), component.end(), c) - component.begin();
    for (int round = 0; round < rounds; ++round) {
      std::vector<Real> u(mesh.points(), 0.0);
      u[from] = 1.0;
      const Field field = make_field("hpot::least_of_kernel", 1, u);
      kernel.apply(field);
      u = host_values(field);
      for (Index v = 0; v < mesh.points(); ++v) {
        if (component[v] == c && u[v] < u[from]) from = v;
      }
      least = std::min(least, u[from]);
    }
  }
  return least;
}

}  // namespace

HeatSolver usual_heat_solver() {
  return std::is_same_v<MemorySpace, Kokkos::HostSpace> ? HeatSolver::factor : HeatSolver::iterations;
}

std::unique_ptr<KernelOperator> make_heat_operator(const Mesh& mesh, Index steps, HeatSolver solver, Range source_rows,
                                                   Range target_rows) {
  return std::make_unique<HeatOperator>(mesh, steps, solver, source_rows, target_rows);
}

Real heat_floor(const Mesh& mesh, Index steps) {
  constexpr Real accuracy = 1.05;
  const HeatMatrices matrices(mesh);
  const auto reaches = [&](Real epsilon) {
    return least_of_kernel(mesh, *make_heat_factor(matrices, steps, epsilon)) >= least_entry;
  };
  Real high = mesh.mean_edge * mesh.mean_edge;
  if (reaches(high)) return high;
  Real low = high;
  while (!reaches(high)) {
    low = high;
    high *= 2.0;
  }
  while (high > accuracy * low) {
    const Real middle = std::sqrt(low * high);
    (reaches(middle) ? high : low) = middle;
  }
  return high;
}

Real heat_factor_entries(Index vertices) {
  const Real n = static_cast<Real>(vertices);
  return 3.0 * n * std::log2(n + 2.0);
}

}  // namespace hpot
