#include "hpot/kernel/dense.hpp"

namespace hpot {
namespace {

template <class C>
struct FillRows {
  C cost;
  Points out, in;
  Index first;
  CostMatrix::Rows<Real> matrix;
  KOKKOS_FUNCTION void operator()(Index rank, Real& largest) const {
    const Index columns = static_cast<Index>(in.extent(0));
    const Index i = rank / columns;
    const Index j = rank % columns;
    Real sum = 0.0;
    for (std::size_t d = 0; d < in.extent(1); ++d) sum += cost.along_axis(out(first + i, d) - in(j, d));
    matrix(i, j) = cost.of_sum(sum);
    largest = Kokkos::max(largest, matrix(i, j));
  }
};

}  // namespace

std::shared_ptr<const CostMatrix> make_cost_matrix(const Cost& cost, const Points& source, const Points& target,
                                                   const OwnedRows& source_rows) {
  const Range rows = source_rows.range();
  auto matrix = std::make_shared<CostMatrix>();
  matrix->rows = static_cast<Index>(source.extent(0));
  matrix->columns = static_cast<Index>(target.extent(0));
  matrix->wide = CostMatrix::Rows<Real>("hpot::CostMatrix", rows.size(), padded_columns(matrix->columns));
  Real largest = 0.0;
  std::visit(
      [&](const auto& c) {
        Kokkos::parallel_reduce(
            "hpot::make_cost_matrix",
            Kokkos::RangePolicy<ExecutionSpace, Kokkos::IndexType<Index>>(0, rows.size() * matrix->columns),
            FillRows<std::decay_t<decltype(c)>>{c, source, target, rows.begin, matrix->wide},
            Kokkos::Max<Real>(largest));
      },
      cost);
  matrix->largest = source_rows.along_rows.max(largest);
  return matrix;
}

}  // namespace hpot
