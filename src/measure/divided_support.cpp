#include "hpot/measure/divided_support.hpp"

#include "hpot/core/field.hpp"

#include <utility>

namespace hpot {
namespace {

/// `width` values of every owned row.
template <class Value>
std::vector<Real> part_of(const std::vector<Value>& all, Range rows, Index width) {
  return {all.begin() + rows.begin * width, all.begin() + rows.end * width};
}

std::vector<Real> gathered(const OwnedRows& rows, const std::vector<Real>& mine, Index width) {
  std::vector<Index> offsets = rows.partition.offsets();
  for (Index& offset : offsets) offset *= width;
  const Field all = make_unset_field("hpot::DividedSupport::gathered", 1, offsets.back());
  rows.along_rows.gather_points(make_field("hpot::DividedSupport::mine", 1, mine), all, offsets);
  return host_values(all);
}

}  // namespace

DividedSupport::DividedSupport(Support support, const Communicator& along_rows) : rows_(own_rows(support, along_rows)) {
  const PointCloud* const cloud = support.cloud();
  if (cloud == nullptr || along_rows.size() == 1) {
    given_ = std::move(support);
    return;
  }
  dimension_ = cloud->dimension;
  ordered_ = cloud->order != nullptr;
  coordinates_ = part_of(*cloud->coordinates, rows_.range(), dimension_);
  if (ordered_) order_ = part_of(*cloud->order, rows_.range(), 1);
}

Support DividedSupport::whole() const {
  if (dimension_ == 0) return given_;
  PointCloud cloud = make_cloud(dimension_, gathered(rows_, coordinates_, dimension_));
  if (ordered_) {
    const std::vector<Real> order = gathered(rows_, order_, 1);
    cloud.order = std::make_shared<const std::vector<Index>>(order.begin(), order.end());
  }
  return cloud;
}

}  // namespace hpot
