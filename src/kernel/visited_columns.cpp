#include "visited_columns.hpp"

#include "truncated_clouds.hpp"

#include <algorithm>
#include <cmath>

namespace hpot {
namespace {

constexpr Index centers = 32;
constexpr Index sampled = 2048;

Real cost_between(const Cost& cost, const Real* p, const Real* q, int dimension) {
  return std::visit(
      [&](const auto& c) {
        Real sum = 0.0;
        for (int d = 0; d < dimension; ++d) sum += c.along_axis(p[d] - q[d]);
        return c.of_sum(sum);
      },
      cost);
}

}  // namespace

VisitedColumns::VisitedColumns(const Cost& cost, const Real* points, Index count, int dimension)
    : count_(static_cast<Real>(count)), dimension_(static_cast<Real>(dimension)) {
  const Index rows = std::min(centers, count), columns = std::min(sampled, count);
  costs_.reserve(static_cast<std::size_t>(rows * columns));
  for (Index r = 0; r < rows; ++r) {
    for (Index c = 0; c < columns; ++c) {
      const Index p = r * count / rows, q = c * count / columns;
      if (p != q) costs_.push_back(cost_between(cost, points + p * dimension, points + q * dimension, dimension));
    }
  }
  std::sort(costs_.begin(), costs_.end());
}

Index VisitedColumns::sampled_within(Real reach) const {
  return std::upper_bound(costs_.begin(), costs_.end(), reach) - costs_.begin();
}

Real VisitedColumns::within(Real reach) const {
  if (costs_.empty()) return count_;
  const Real near = count_ * static_cast<Real>(sampled_within(reach)) / static_cast<Real>(costs_.size());
  const auto length = [this](Real some) { return std::pow(some, 1.0 / dimension_); };
  return std::min(count_, std::pow(length(near) + length(tile_columns) + length(group_rows), dimension_));
}

}  // namespace hpot
