#include "hpot/problem/free_support.hpp"

#include "hpot/core/field.hpp"

namespace hpot {

Field positions_of(const PointCloud& cloud, Range rows) {
  std::vector<Real> values;
  values.reserve(static_cast<std::size_t>(rows.size() * cloud.dimension));
  for (int d = 0; d < cloud.dimension; ++d) {
    for (Index p = rows.begin; p < rows.end; ++p) values.push_back(cloud.at(p, d));
  }
  return make_field("hpot::positions", cloud.dimension, values);
}

PointCloud moved(const PointCloud& like, const OwnedRows& rows, const ConstField& positions) {
  const Index n = rows.partition.global_n();
  const Field whole = make_unset_field("hpot::moved", like.dimension, n);
  rows.along_rows.gather_points(positions, whole, rows.partition.offsets());
  const std::vector<Real> by_axis = host_values(whole);
  std::vector<Real> coordinates(by_axis.size());
  for (Index p = 0; p < n; ++p) {
    for (int d = 0; d < like.dimension; ++d) coordinates[p * like.dimension + d] = by_axis[d * n + p];
  }
  PointCloud cloud = make_cloud(like.dimension, std::move(coordinates));
  cloud.order = like.order;
  return cloud;
}

void add_rounded(Real factor, const ConstField& values, Real quantum, const Field& sum) {
  using Points = Kokkos::MDRangePolicy<ExecutionSpace, Kokkos::Rank<2>, Kokkos::IndexType<Index>>;
  const Real shift = quantum * 0x1.8p52;  // x + shift rounds x to a multiple of the quantum
  Kokkos::parallel_for(
      "hpot::add_rounded", Points({0, 0}, {static_cast<Index>(sum.extent(0)), static_cast<Index>(sum.extent(1))}),
      KOKKOS_LAMBDA(Index d, Index i) { sum(d, i) += (factor * values(d, i) + shift) - shift; });
}

}  // namespace hpot
