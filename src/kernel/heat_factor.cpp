#include "heat_kernel.hpp"
#include "hpot/measure/intrinsic_mesh.hpp"

#include <numbers>
#include <stdexcept>

namespace hpot {

HeatMatrices::HeatMatrices(const Mesh& mesh) {
  IntrinsicMesh intrinsic(mesh);
  intrinsic.make_delaunay();
  stiffness = intrinsic.stiffness();
  mass = intrinsic.lumped_mass();
}

namespace {

SparseCholesky factorised(const HeatMatrices& matrices, Real time) {
  std::vector<MatrixEntry> entries = matrices.stiffness;
  for (MatrixEntry& entry : entries) entry.value *= time;
  for (std::size_t v = 0; v < matrices.mass.size(); ++v)
    entries.push_back({static_cast<Index>(v), static_cast<Index>(v), matrices.mass[v]});
  SparseCholesky factor(static_cast<Index>(matrices.mass.size()), entries);
  if (!factor.positive()) throw std::logic_error("make_heat_factor: the matrix of a heat step is not positive");
  return factor;
}

class HeatFactor final : public HeatKernel {
 public:
  HeatFactor(const HeatMatrices& matrices, Index steps, Real epsilon)
      : mass_(matrices.mass),
        steps_(steps),
        scale_(std::numbers::pi * epsilon),
        factor_(factorised(matrices, 0.25 * epsilon / static_cast<Real>(steps))) {}

  void apply(const Field& u) const override {
    const auto host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace{}, u);
    const auto entry = [&](const Index k) {
      std::vector<Real> values(mass_.size());
      for (std::size_t v = 0; v < values.size(); ++v) values[v] = scale_ * host(k, v);
      factor_.solve(values);
      for (Index step = 1; step < steps_; ++step) {
        for (std::size_t v = 0; v < values.size(); ++v) values[v] *= mass_[v];
        factor_.solve(values);
      }
      for (std::size_t v = 0; v < values.size(); ++v) host(k, v) = values[v];
    };
    using Host = Kokkos::DefaultHostExecutionSpace;
    Kokkos::parallel_for("hpot::HeatFactor::apply", Kokkos::RangePolicy<Host, Kokkos::IndexType<Index>>(0, u.extent(0)),
                         entry);
    Kokkos::deep_copy(u, host);
  }

  void apply_signed(const Field& u) const override { apply(u); }

 private:
  std::vector<Real> mass_;
  Index steps_;
  Real scale_;
  SparseCholesky factor_;
};

}  // namespace

std::unique_ptr<HeatKernel> make_heat_factor(const HeatMatrices& matrices, Index steps, Real epsilon) {
  return std::make_unique<HeatFactor>(matrices, steps, epsilon);
}

}  // namespace hpot
