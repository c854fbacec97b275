// The operator of any costs of point_costs.hpp that are computed on the fly. Part of dense.cpp.
#pragma once

#include "point_sweep.hpp"

#include <utility>

namespace hpot {
namespace {

template <class CostsOfSide>
class PointOperator : public KernelOperator {
 public:
  using Costs = CostsOfSide;
  /// Column sums of sweeps are added over `along_rows`.
  PointOperator(Costs source, Costs target, Range target_rows, std::optional<Communicator> along_rows)
      : source_(std::move(source)),
        target_(std::move(target)),
        target_rows_(target_rows),
        along_rows_(std::move(along_rows)) {}

  void prepare(Real epsilon) override { epsilon_ = epsilon; }
  void set_precision(Precision precision) override { precision_ = precision; }

  void softmin(Side side, const ConstField& h, const Field& s) const override {
    if (precision_ == Precision::mixed) {
      softmin_of_rows<Precision::mixed>(weights(side, h), epsilon_, s);
    } else {
      softmin_of_rows<Precision::full>(weights(side, h), epsilon_, s);
    }
  }
  [[nodiscard]] bool has_sweep() const override { return lanes::width > 1; }
  [[nodiscard]] bool sweep(const SweepTerms& terms, const Field& f, const Field& s) const override {
    const auto terms_of = [&](const ConstField& h) { return weights(Side::source, h); };
    if (precision_ == Precision::mixed) return sweep_by<Precision::mixed>(terms_of, terms, f, s);
    return sweep_by<Precision::full>(terms_of, terms, f, s);
  }
  void average(Side side, const ConstField& h, const ConstField& v, const Field& mean) const override {
    mean_of_rows<MeanOf::values>(weights(side, h), v, mean);
  }
  void average_cost(Side side, const ConstField& h, const Field& mean) const override {
    mean_of_rows<MeanOf::costs>(weights(side, h), ConstField(), mean);
  }
  void hard_min(Side side, const ConstField& h, const Field& m) const override {
    extremum_of_rows(Terms{at(side), h, 1.0, 1.0}, -1.0, m);
  }
  void hard_max(Side side, const ConstField& h, const Field& m) const override {
    extremum_of_rows(Terms{at(side), h, 1.0, -1.0}, 1.0, m);
  }

 protected:
  [[nodiscard]] const Costs& at(Side side) const { return side == Side::source ? source_ : target_; }
  [[nodiscard]] Real scale() const { return log2_e / epsilon_; }
  template <Precision precision, class TermsOf>
  [[nodiscard]] bool sweep_by(const TermsOf& terms_of, const SweepTerms& terms, const Field& f, const Field& s) const {
    return sweep_of_rows<precision>(terms_of, terms, epsilon_, target_rows_, along_rows_, f, s);
  }

  Real epsilon_ = 1.0;
  Precision precision_ = Precision::full;

 private:
  using Terms = CostTerms<Costs>;
  [[nodiscard]] Terms weights(Side side, const ConstField& h) const { return {at(side), h, log2_e, scale()}; }

  Costs source_;
  Costs target_;
  Range target_rows_;
  std::optional<Communicator> along_rows_;
};

}  // namespace
}  // namespace hpot
