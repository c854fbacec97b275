#include "hpot/core/error.hpp"
#include "hpot/kernel/axis_kernels.hpp"

#include <algorithm>
#include <cmath>

namespace hpot {
namespace {

constexpr Index largest_step = 4096;
constexpr Real product_limit = 500.0;  // exp(-500) = 7e-218: sums of such terms stay normal doubles
constexpr Real ratio_limit = 300.0;    // as windows have it
constexpr Real typical_cut = 36.0;     // log of what is left out, for the width that windows are expected to have
constexpr Real rounding = 1e-15;       // of a cost, relative
// Rates of the windowed form in units of a multiply-add of the product form, measured with 8 lanes of AVX2.
constexpr Real exp_rate = 36.0;
constexpr Real search_rate = 120.0;  // of an output

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
  const Index used = step_out * (n_out_ - 1) + shift + 1;
  const Index size = used + step_out * stretch;  // a window's reference output may lie beyond the last one
  cost = Table("hpot::AxisCost::cost", size);
  nearest = Indices("hpot::AxisCost::nearest", n_out_);
  const auto cost_host = Kokkos::create_mirror_view(cost);
  const auto nearest_host = Kokkos::create_mirror_view(nearest);
  const Real unit = out.spacing / static_cast<Real>(step_out);
  for (Index t = 0; t < size; ++t) {
    const Real difference = (out.origin - in.origin) + unit * static_cast<Real>(t - shift);
    cost_host(t) = std::visit([difference](const auto& c) { return c.along_axis(difference); }, cost_function);
    if (t < used) largest_ = std::max(largest_, cost_host(t));
  }
  convex_ = true;
  for (Index t = 1; t + 1 < size; ++t) {
    const Real second = cost_host(t + 1) - 2.0 * cost_host(t) + cost_host(t - 1);
    convex_ = convex_ && second >= -4.0 * rounding * (cost_host(t + 1) + cost_host(t - 1));
  }
  const Real at_unit = std::visit([unit](const auto& c) { return c.along_axis(unit); }, cost_function);
  bool quadratic = convex_;
  for (Index t = 0; t < size; ++t) {
    const Real steps = (out.origin - in.origin) / unit + static_cast<Real>(t - shift);
    quadratic = quadratic && std::abs(cost_host(t) - at_unit * steps * steps) <= 4.0 * rounding * cost_host(t);
  }
  if (quadratic) second_difference_ = 2.0 * at_unit;
  for (Index i = 0; i < n_out_; ++i) {
    const Real position = (out.coordinate(i) - in.origin) / in.spacing;
    nearest_host(i) =
        std::clamp<Index>(static_cast<Index>(std::lround(std::clamp(position, -1.0, 1.0 * n_in_))), 0, n_in_ - 1);
  }
  Kokkos::deep_copy(cost, cost_host);
  Kokkos::deep_copy(nearest, nearest_host);
}

void AxisCost::prepare(Real epsilon) {
  epsilon_ = epsilon;
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
  prepare_groups();
}

/// A group of as many outputs as its window would have entries were A constant (near a solution the curvature of A about
/// keeps that width): the exponentials and the products of an output then cost about the same.
void AxisCost::prepare_groups() {
  const Real steps = static_cast<Real>(step_out * step_in);
  bilinear_ = second_difference_ == infinity ? infinity : second_difference_ / epsilon_ * steps;
  group_ = rows_at_once;
  windows_pay_ = false;
  largest_ratio_ = 0;
  expected_entries_ = static_cast<Real>(n_in_);
  if (bilinear_ == infinity) return;
  const Real curvature = std::max(bilinear_, 1e-300);  // eps may be infinite
  const Real width =
      2.0 * std::sqrt(2.0 * typical_cut / curvature * static_cast<Real>(step_in) / static_cast<Real>(step_out));
  while (group_ < stretch && static_cast<Real>(2 * group_) <= width) group_ *= 2;
  expected_entries_ = std::min(width + static_cast<Real>(group_), static_cast<Real>(n_in_));
  windows_pay_ =
      expected_entries_ * (1.0 + exp_rate / static_cast<Real>(group_)) + search_rate < static_cast<Real>(n_in_);
  // Three outputs share windows up to ratio_limit / m wide on each side; few windows are four times as wide as expected.
  const Real most = std::min(ratio_limit / curvature, 4.0 * width + 64.0) + 1.0;
  largest_ratio_ = static_cast<Index>(std::min(most, static_cast<Real>(n_in_)));
  const Index columns = 2 * largest_ratio_ + 1;
  const Index blocks = group_ / rows_at_once;
  ratios = Table("hpot::AxisCost::ratios", (blocks + 1) * columns * rows_at_once);
  const auto host = Kokkos::create_mirror_view(ratios);
  for (Index b = 0; b <= blocks; ++b) {
    const Index first = b < blocks ? b * rows_at_once - group_ / 2 : -rows_at_once / 2;
    for (Index column = 0; column < columns; ++column) {
      for (Index r = 0; r < rows_at_once; ++r) {
        const Real exponent = bilinear_ * static_cast<Real>((first + r) * (column - largest_ratio_));
        host((b * columns + column) * rows_at_once + r) = std::exp(std::clamp(exponent, -ratio_limit, ratio_limit));
      }
    }
  }
  Kokkos::deep_copy(ratios, host);
}

}  // namespace hpot
