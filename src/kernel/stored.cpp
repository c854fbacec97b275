#include "hpot/kernel/dense.hpp"
#include "point_operator.hpp"

namespace hpot {
namespace {

template <class C>
struct FillRows {
  C cost;
  Points out, in;
  Index first;
  Points matrix;
  KOKKOS_FUNCTION void operator()(Index rank) const {
    const Index columns = static_cast<Index>(in.extent(0));
    const Index i = rank / columns;
    const Index j = rank % columns;
    Real sum = 0.0;
    for (std::size_t d = 0; d < in.extent(1); ++d) sum += cost.along_axis(out(first + i, d) - in(j, d));
    matrix(i, j) = cost.of_sum(sum);
  }
};

template <class C>
StoredCosts stored_rows(const C& cost, const Points& out, const Points& in, Range rows) {
  const Index columns = static_cast<Index>(in.extent(0));
  const Points matrix("hpot::StoredOperator::cost", rows.size(), padded(columns));
  Kokkos::parallel_for("hpot::StoredOperator::fill", RowPolicy(0, rows.size() * columns),
                       FillRows<C>{cost, out, in, rows.begin, matrix});
  return {matrix, columns};
}

}  // namespace

std::unique_ptr<KernelOperator> make_stored_operator(const Cost& cost, const Points& source, const Points& target,
                                                     Range source_rows, Range target_rows) {
  return std::visit(
      [&](const auto& c) -> std::unique_ptr<KernelOperator> {
        const StoredCosts rows = stored_rows(c, source, target, source_rows);
        const bool symmetric = source.data() == target.data() && source_rows.begin == target_rows.begin &&
                               source_rows.end == target_rows.end;
        return std::make_unique<PointOperator<StoredCosts>>(
            rows, symmetric ? rows : stored_rows(c, target, source, target_rows));
      },
      cost);
}

}  // namespace hpot
