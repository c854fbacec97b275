// The operator of any costs of point_costs.hpp. Part of dense.cpp and stored.cpp.
#pragma once

#include "point_reductions.hpp"

#include <utility>

namespace hpot {
namespace {

using RowPolicy = Kokkos::RangePolicy<ExecutionSpace, Kokkos::IndexType<Index>>;

inline RowItems items_of(const ConstField& out) {
  return {static_cast<Index>(out.extent(0)), static_cast<Index>(out.extent(1))};
}

template <Precision precision, class Terms>
void softmin_of_rows(const Terms& terms, Real epsilon, const Field& s) {
  const RowItems items = items_of(s);
  Kokkos::parallel_for("hpot::PointOperator::softmin", RowPolicy(0, items.count),
                       RowSoftmin<Terms, precision>{terms, s, items, epsilon});
}

template <class CostsOfSide>
class PointOperator : public KernelOperator {
 public:
  using Costs = CostsOfSide;
  PointOperator(Costs source, Costs target) : source_(std::move(source)), target_(std::move(target)) {}

  void prepare(Real epsilon) override { epsilon_ = epsilon; }
  void set_precision(Precision precision) override { precision_ = precision; }

  void softmin(Side side, const ConstField& h, const Field& s) const override {
    if (precision_ == Precision::mixed) {
      softmin_of_rows<Precision::mixed>(weights(side, h), epsilon_, s);
    } else {
      softmin_of_rows<Precision::full>(weights(side, h), epsilon_, s);
    }
  }
  void average(Side side, const ConstField& h, const ConstField& v, const Field& mean) const override {
    mean_of<MeanOf::values>(side, h, v, mean);
  }
  void average_cost(Side side, const ConstField& h, const Field& mean) const override {
    mean_of<MeanOf::costs>(side, h, ConstField(), mean);
  }
  void hard_min(Side side, const ConstField& h, const Field& m) const override { extremum(side, h, m, 1.0, -1.0); }
  void hard_max(Side side, const ConstField& h, const Field& m) const override { extremum(side, h, m, -1.0, 1.0); }

 protected:
  [[nodiscard]] const Costs& at(Side side) const { return side == Side::source ? source_ : target_; }
  [[nodiscard]] Real scale() const { return log2_e / epsilon_; }

  Real epsilon_ = 1.0;
  Precision precision_ = Precision::full;

 private:
  using Terms = CostTerms<Costs>;
  [[nodiscard]] Terms weights(Side side, const ConstField& h) const { return {at(side), h, log2_e, scale()}; }

  template <MeanOf what>
  void mean_of(Side side, const ConstField& h, const ConstField& v, const Field& mean) const {
    const RowItems items = items_of(mean);
    Kokkos::parallel_for("hpot::PointOperator::average", RowPolicy(0, items.count),
                         RowMean<Terms, what>{weights(side, h), v, mean, items});
  }
  void extremum(Side side, const ConstField& h, const Field& m, Real minus, Real outer) const {
    const RowItems items = items_of(m);
    Kokkos::parallel_for("hpot::PointOperator::extremum", RowPolicy(0, items.count),
                         RowExtremum<Terms>{{at(side), h, 1.0, minus}, m, items, outer});
  }

  Costs source_;
  Costs target_;
};

}  // namespace
}  // namespace hpot
