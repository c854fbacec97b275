// Values on a slab of whole planes of a grid, with a plane of the slab next to it, which another rank owns: what differences
// of neighbours along the slowest axis need.
#pragma once

#include "hpot/core/reduction.hpp"

namespace hpot {

/// For kernels. i counts the owned points; i < 0: of the plane before the slab, i >= local_n: of the plane after it.
struct SlabValues {
  ConstField own;   // (1, local_n)
  ConstField next;  // (1, points of a plane)

  KOKKOS_INLINE_FUNCTION Real operator()(Index i) const {
    const Index n = static_cast<Index>(own.extent(1));
    if (i < 0) return next(0, i + static_cast<Index>(next.extent(1)));
    return i < n ? own(0, i) : next(0, i - n);
  }
};

/// Holds one plane where rows are divided. What a call returns stands until the next one.
class Halo {
 public:
  /// `plane`: points of a plane; slabs are of whole ones, and only the last ranks may have none (divide_rows).
  Halo(const OwnedRows& rows, Index plane);

  /// `row`: (1, local_n). No plane precedes the first slab, none follows the last. 8 bytes a point of a plane, to one rank and
  /// from another. Collective along rows.
  [[nodiscard]] SlabValues with_last(const ConstField& row) const;
  [[nodiscard]] SlabValues with_next(const ConstField& row) const;

 private:
  /// `from` goes to rank `to`, and what rank `source` sends comes, where they are ranks that have rows.
  [[nodiscard]] SlabValues exchange(const ConstField& row, const Real* from, int to, int source) const;

  OwnedRows rows_;
  Field next_;
};

}  // namespace hpot
