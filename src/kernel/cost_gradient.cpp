#include "hpot/kernel/cost_gradient.hpp"

#include "hpot/core/field.hpp"

namespace hpot {
namespace {

template <class C>
struct GradientOfRow {
  static constexpr int axes_at_once = 8;
  C cost;
  Points out, in;
  Index first;
  ConstField h, s;
  Real epsilon;
  Field gradient;

  KOKKOS_FUNCTION void operator()(Index i) const {
    const int axes = static_cast<int>(in.extent(1));
    for (int begin = 0; begin < axes; begin += axes_at_once) add(i, begin, Kokkos::min(begin + axes_at_once, axes));
  }

  /// Components [begin, end).
  KOKKOS_FUNCTION void add(Index i, int begin, int end) const {
    Real moments[axes_at_once] = {0.0};
    for (Index j = 0; j < static_cast<Index>(in.extent(0)); ++j) {
      if (h(0, j) <= 0.5 * log_zero) continue;
      Real sum = 0.0;
      for (std::size_t d = 0; d < in.extent(1); ++d) sum += cost.along_axis(out(first + i, d) - in(j, d));
      const Real weight = Kokkos::exp(h(0, j) + (s(0, i) - cost.of_sum(sum)) / epsilon) * cost.slope_of_sum(sum);
      for (int d = begin; d < end; ++d)
        moments[d - begin] += weight * cost.slope_along_axis(out(first + i, d) - in(j, d));
    }
    for (int d = begin; d < end; ++d) gradient(d, i) = moments[d - begin];
  }
};

}  // namespace

Field mean_cost_gradient(const Cost& cost, const Points& out, Range rows, const Points& in, const ConstField& h,
                         const ConstField& s, Real epsilon) {
  const Field gradient = make_unset_field("hpot::mean_cost_gradient", static_cast<Index>(in.extent(1)), rows.size());
  std::visit(
      [&](const auto& c) {
        Kokkos::parallel_for("hpot::mean_cost_gradient",
                             Kokkos::RangePolicy<ExecutionSpace, Kokkos::IndexType<Index>>(0, rows.size()),
                             GradientOfRow<std::decay_t<decltype(c)>>{c, out, in, rows.begin, h, s, epsilon, gradient});
      },
      cost);
  return gradient;
}

}  // namespace hpot
