#include "hpot/core/error.hpp"
#include "hpot/kernel/axis_kernels.hpp"

#include <algorithm>
#include <cmath>

namespace hpot {
namespace {

constexpr Index largest_step = 4096;
constexpr Real product_limit = 500.0;  // exp(-500) = 7e-218: sums of such terms stay normal doubles

/// The smallest integers with a / b = step_a / step_b, to rounding.
std::pair<Index, Index> commensurable(Real a, Real b) {
  for (Index step_b = 1; step_b <= largest_step; ++step_b) {
    const Real step_a = std::round(a / b * static_cast<Real>(step_b));
    if (step_a >= 1.0 && step_a <= largest_step &&
        std::abs(a / b * static_cast<Real>(step_b) - step_a) < 1e-9 * step_a) {
      return {static_cast<Index>(step_a), step_b};
    }
  }
  throw InputError(error_text("grids", "spacing", std::to_string(a) + " and " + std::to_string(b),
                              "the two grids' spacings have no common unit", "resample one of them"));
}

}  // namespace

AxisCost::AxisCost(const Cost& cost_function, const Axis& out, const Axis& in) : n_out_(out.n), n_in_(in.n) {
  std::tie(step_out, step_in) = commensurable(out.spacing, in.spacing);
  shift = step_in * (n_in_ - 1);
  const Index size = step_out * (n_out_ - 1) + shift + 1;
  cost = Table("hpot::AxisCost::cost", size);
  nearest = Indices("hpot::AxisCost::nearest", n_out_);
  const auto cost_host = Kokkos::create_mirror_view(cost);
  const auto nearest_host = Kokkos::create_mirror_view(nearest);
  const Real unit = out.spacing / static_cast<Real>(step_out);
  for (Index t = 0; t < size; ++t) {
    const Real difference = (out.origin - in.origin) + unit * static_cast<Real>(t - shift);
    cost_host(t) = std::visit([difference](const auto& c) { return c.along_axis(difference); }, cost_function);
    largest_ = std::max(largest_, cost_host(t));
  }
  for (Index i = 0; i < n_out_; ++i) {
    const Real position = (out.coordinate(i) - in.origin) / in.spacing;
    nearest_host(i) =
        std::clamp<Index>(static_cast<Index>(std::lround(std::clamp(position, -1.0, 1.0 * n_in_))), 0, n_in_ - 1);
  }
  Kokkos::deep_copy(cost, cost_host);
  Kokkos::deep_copy(nearest, nearest_host);
}

void AxisCost::prepare(Real epsilon) {
  const auto cost_host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace{}, cost);
  const auto kernel_host = Kokkos::create_mirror(Kokkos::HostSpace{}, cost);
  for (std::size_t t = 0; t < cost_host.extent(0); ++t) kernel_host(t) = cost_host(t) / epsilon;
  fits_product_ = largest_ / epsilon <= product_limit;
  if (scaled.extent(0) != cost.extent(0)) {
    scaled = Table("hpot::AxisCost::scaled", cost.extent(0));
    kernel = Table("hpot::AxisCost::kernel", cost.extent(0));
  }
  Kokkos::deep_copy(scaled, kernel_host);
  for (std::size_t t = 0; t < cost_host.extent(0); ++t)
    kernel_host(t) = fits_product_ ? std::exp(-kernel_host(t)) : 0.0;
  Kokkos::deep_copy(kernel, kernel_host);
}

}  // namespace hpot
