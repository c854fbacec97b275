#include "hpot/kernel/heat.hpp"

#include "hpot/core/field.hpp"
#include "hpot/measure/intrinsic_mesh.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numbers>
#include <optional>
#include <stdexcept>

namespace hpot {
namespace {

constexpr Real least_exponent = -700.0;  // no number below the normal ones
constexpr Real least_entry = 1e-250;     // of a kernel

/// What of a surface makes its heat.
struct HeatMatrices {
  std::vector<MatrixEntry> stiffness;
  std::vector<Real> mass;
  explicit HeatMatrices(const Mesh& mesh) {
    IntrinsicMesh intrinsic(mesh);
    intrinsic.make_delaunay();
    stiffness = intrinsic.stiffness();
    mass = intrinsic.lumped_mass();
  }
};

/// K at one eps.
class HeatKernel {
 public:
  HeatKernel(const HeatMatrices& matrices, Index steps, Real epsilon)
      : mass_(matrices.mass), steps_(steps), factor_(factorised(matrices, 0.25 * epsilon / static_cast<Real>(steps))) {
    scale_ = std::numbers::pi * epsilon;  // 4 pi t
  }

  /// u <- K u.
  void apply(std::vector<Real>& u) const {
    for (Real& value : u) value *= scale_;
    factor_.solve(u);
    for (Index step = 1; step < steps_; ++step) {
      for (std::size_t v = 0; v < u.size(); ++v) u[v] *= mass_[v];
      factor_.solve(u);
    }
  }

 private:
  static SparseCholesky factorised(const HeatMatrices& matrices, Real step) {
    std::vector<MatrixEntry> entries = matrices.stiffness;
    for (MatrixEntry& entry : entries) entry.value *= step;
    for (std::size_t v = 0; v < matrices.mass.size(); ++v)
      entries.push_back({static_cast<Index>(v), static_cast<Index>(v), matrices.mass[v]});
    SparseCholesky factor(static_cast<Index>(matrices.mass.size()), entries);
    if (!factor.positive()) throw std::logic_error("HeatKernel: the matrix of a heat step is not positive");
    return factor;
  }

  const std::vector<Real>& mass_;
  Index steps_;
  SparseCholesky factor_;
  Real scale_;
};

class HeatOperator final : public KernelOperator {
 public:
  HeatOperator(const Mesh& mesh, Index steps, Range source_rows, Range target_rows)
      : mesh_(mesh), matrices_(mesh), steps_(steps), rows_{source_rows, target_rows} {}

  void prepare(Real epsilon) override {
    if (kernel_ && epsilon == epsilon_) return;
    epsilon_ = epsilon;
    kernel_.reset();  // before the next one takes its memory
    kernel_.emplace(matrices_, steps_, epsilon);
  }
  void set_precision(Precision) override {}
  [[nodiscard]] KnownCosts known_costs() const override { return KnownCosts::none; }

  void softmin(Side side, const ConstField& h, const Field& s) const override {
    for_entries(side, h, s, [&](const Exponentials& input, const std::vector<Real>& sums, Index i, Index) {
      const Real top = input.tops[(*mesh_.component)[i]];
      if (top <= 0.5 * log_zero) return -epsilon_ * log_zero;
      return -epsilon_ * (top + std::log(std::max(sums[i], std::numeric_limits<Real>::min())));
    });
  }

  void average(Side side, const ConstField& h, const ConstField& v, const Field& mean) const override {
    const auto values = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace{}, v);
    std::vector<std::vector<Real>> moments(h.extent(0));
    for_entries(
        side, h, mean,
        [&](const Exponentials&, const std::vector<Real>& sums, Index i, Index k) {
          return sums[i] > 0.0 ? moments[k][i] / sums[i] : 0.0;
        },
        [&](const Exponentials& input, Index k) {
          moments[k] = input.values;
          for (Index j = 0; j < mesh_.points(); ++j) moments[k][j] *= values(k, j);
          kernel_->apply(moments[k]);
        });
  }

  void average_cost(Side, const ConstField&, const Field&) const override { no_costs(); }
  void hard_min(Side, const ConstField&, const Field&) const override { no_costs(); }
  void hard_max(Side, const ConstField&, const Field&) const override { no_costs(); }

 private:
  /// exp(h - top) with the largest h of every component.
  struct Exponentials {
    std::vector<Real> tops, values;
  };
  using HostConstField = Kokkos::View<const Real**, Kokkos::LayoutRight, Kokkos::HostSpace>;

  [[noreturn]] static void no_costs() { throw std::logic_error("HeatOperator: there is no explicit cost"); }

  [[nodiscard]] Exponentials exponentials(const HostConstField& h, Index k) const {
    Exponentials result{std::vector<Real>(mesh_.components, log_zero), std::vector<Real>(mesh_.points(), 0.0)};
    const std::vector<Index>& component = *mesh_.component;
    for (Index j = 0; j < mesh_.points(); ++j) result.tops[component[j]] = std::max(result.tops[component[j]], h(k, j));
    for (Index j = 0; j < mesh_.points(); ++j) {
      const Real exponent = h(k, j) - result.tops[component[j]];
      if (h(k, j) > 0.5 * log_zero && exponent > least_exponent) result.values[j] = std::exp(exponent);
    }
    return result;
  }

  /// out(k, i) = value(exponentials of h(k, :), K of them, i, k) for the rows of `side`; `before(exponentials, k)` comes first.
  template <class Value>
  void for_entries(
      Side side, const ConstField& h, const Field& out, const Value& value,
      const std::function<void(const Exponentials&, Index)>& before = [](const Exponentials&, Index) {}) const {
    const HostConstField input = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace{}, h);
    const auto output = Kokkos::create_mirror_view(Kokkos::HostSpace{}, out);
    const Range rows = rows_[side == Side::source ? 0 : 1];
    const auto entry = [&](const Index k) {
      Exponentials of_entry = exponentials(input, k);
      before(of_entry, k);
      std::vector<Real> sums = of_entry.values;
      kernel_->apply(sums);
      for (Index i = rows.begin; i < rows.end; ++i) output(k, i - rows.begin) = value(of_entry, sums, i, k);
    };
    using Host = Kokkos::DefaultHostExecutionSpace;
    Kokkos::parallel_for("hpot::HeatOperator", Kokkos::RangePolicy<Host, Kokkos::IndexType<Index>>(0, h.extent(0)),
                         entry);
    Kokkos::deep_copy(out, output);
  }

  Mesh mesh_;
  HeatMatrices matrices_;
  Index steps_;
  Range rows_[2];
  Real epsilon_ = 0.0;
  std::optional<HeatKernel> kernel_;
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
      kernel.apply(u);
      for (Index v = 0; v < mesh.points(); ++v) {
        if (component[v] == c && u[v] < u[from]) from = v;
      }
      least = std::min(least, u[from]);
    }
  }
  return least;
}

}  // namespace

std::unique_ptr<KernelOperator> make_heat_operator(const Mesh& mesh, Index steps, Range source_rows,
                                                   Range target_rows) {
  return std::make_unique<HeatOperator>(mesh, steps, source_rows, target_rows);
}

Real heat_floor(const Mesh& mesh, Index steps) {
  constexpr Real accuracy = 1.05;
  const HeatMatrices matrices(mesh);
  const auto reaches = [&](Real epsilon) {
    return least_of_kernel(mesh, HeatKernel(matrices, steps, epsilon)) >= least_entry;
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
