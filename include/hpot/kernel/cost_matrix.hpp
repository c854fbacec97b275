// Operator of an explicit cost matrix whose rows are divided over ranks: it stands in memory once.
//
//   source outputs   every rank reduces its rows against all of h, which is gathered
//   target outputs   every rank reduces its part of all columns to (maximum, sum), which are then reduced over ranks
//   sweep            both half-steps from one reading of the owned rows
// Columns go in blocks of rows: the running maximum is raised, and the sum rescaled, once a
// block, so that there is one exponential an entry on either side.
//
// Ledger per entry: 8 bytes (4 where costs are kept as floats); 4 flops and one exponential. The problem solved is that of
// the costs as kept: every value and certificate is of them.
#pragma once

#include "hpot/core/reduction.hpp"
#include "hpot/kernel/operator.hpp"

#include <memory>
#include <string>

namespace hpot {

/// The owned rows of a matrix, padded to whole vectors of columns; one of the two is there.
struct CostMatrix {
  template <class T>
  using Rows = Kokkos::View<T**, Kokkos::LayoutRight, MemorySpace>;

  Index rows = 0;  // of all ranks
  Index columns = 0;
  Rows<Real> wide;
  Rows<float> narrow;
  Real largest = 0.0;  // of all entries of all ranks
};

/// Of a matrix that is read, in doubles, before they become rows; or one row.
inline constexpr Index values_read_at_once = Index{1} << 21;

/// Columns with the padding that CostMatrix has.
Index padded_columns(Index columns);

/// What a sweep in one visit (of this operator and of the dense one) takes besides, in values of 8 bytes, at most.
Real values_of_visit(Index rows, Index columns);

/// Outputs are divided as `source` and `target` say, the rows of `matrix` as `source`. All that it does is collective along
/// rows. Column sums are added over ranks: they agree over numbers of ranks to rounding.
std::shared_ptr<KernelOperator> make_matrix_operator(std::shared_ptr<const CostMatrix> matrix, const OwnedRows& source,
                                                     const OwnedRows& target);

}  // namespace hpot
