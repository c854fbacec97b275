#include "hpot/measure/halo.hpp"

#include "hpot/core/field.hpp"

#include <algorithm>

namespace hpot {

Halo::Halo(const OwnedRows& rows, Index plane)
    : rows_(rows), next_(make_field("hpot::Halo::next", 1, rows.along_rows.size() > 1 ? plane : 0)) {}

SlabValues Halo::with_last(const ConstField& row) const {
  const int rank = rows_.along_rows.rank();
  return exchange(row, row.data() + row.extent(1) - std::min(row.extent(1), next_.extent(1)), rank + 1, rank - 1);
}

SlabValues Halo::with_next(const ConstField& row) const {
  const int rank = rows_.along_rows.rank();
  return exchange(row, row.data(), rank - 1, rank + 1);
}

SlabValues Halo::exchange(const ConstField& row, const Real* from, int to, int source) const {
  const int ranks = rows_.along_rows.size();
  if (ranks == 1) return {row, next_};
  const Index plane = static_cast<Index>(next_.extent(1));
  const bool none_here = rows_.local_n() == 0;
  const auto has_rows = [&](int rank) { return rows_.partition.block(rank).size() > 0; };
  Communicator::Blocks out, in;
  for (int r = 0; r < ranks; ++r) {
    const bool meets = !none_here && has_rows(r);
    out.add(0, meets && r == to ? plane : 0);
    in.add(0, meets && r == source ? plane : 0);
  }
  rows_.along_rows.begin_exchange(from, std::move(out), next_.data(), std::move(in)).finish();
  return {row, next_};
}

}  // namespace hpot
