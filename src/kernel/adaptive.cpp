#include "hpot/kernel/adaptive.hpp"

#include "hpot/kernel/lanes.hpp"
#include "visited_columns.hpp"

#include <cmath>
#include <utility>

namespace hpot {
namespace {

VisitedColumns visited_columns(const Cost& cost, const Points& points) {
  const auto host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace{}, points);
  return {cost, host.data(), static_cast<Index>(host.extent(0)), static_cast<int>(host.extent(1))};
}

class AdaptiveOperator final : public KernelOperator {
 public:
  AdaptiveOperator(VisitedColumns source, VisitedColumns target, Real cut, std::unique_ptr<KernelOperator> dense,
                   std::unique_ptr<KernelOperator> truncated)
      : source_(std::move(source)),
        target_(std::move(target)),
        cut_(cut),
        dense_(std::move(dense)),
        truncated_(std::move(truncated)) {}

  void prepare(Real epsilon) override {
    dense_->prepare(epsilon);
    truncated_->prepare(epsilon);
    epsilon_ = epsilon;
  }
  void set_precision(Precision precision) override {
    dense_->set_precision(precision);
    truncated_->set_precision(precision);
    precision_ = precision;
  }
  [[nodiscard]] Real softmin_excess() const override { return chosen().softmin_excess(); }

  void softmin(Side side, const ConstField& h, const Field& s) const override { chosen().softmin(side, h, s); }
  [[nodiscard]] bool sweep(const SweepTerms& terms, const Field& f, const Field& s) const override {
    return chosen().sweep(terms, f, s);
  }
  [[nodiscard]] bool has_sweep() const override { return chosen().has_sweep(); }
  void average(Side side, const ConstField& h, const ConstField& v, const Field& mean) const override {
    chosen().average(side, h, v, mean);
  }
  /// At eps = infinity the truncated operator may have moments in place of pairs.
  void average_cost(Side side, const ConstField& h, const Field& mean) const override {
    (std::isinf(epsilon_) ? *truncated_ : chosen()).average_cost(side, h, mean);
  }
  void hard_min(Side side, const ConstField& h, const Field& m) const override { truncated_->hard_min(side, h, m); }
  void hard_max(Side side, const ConstField& h, const Field& m) const override { truncated_->hard_max(side, h, m); }

 private:
  [[nodiscard]] const KernelOperator& chosen() const {
    constexpr Real visits_of_dense = lanes::width > 1 ? 1.0 : 2.0;
    const Real cut = truncated_cut(cut_, precision_);
    const Real reach = cut > 0.0 ? -epsilon_ * std::log(cut) : infinity;
    const Real n = source_.count(), m = target_.count();
    const bool fewer = n * target_.within(reach) + m * source_.within(reach) < visits_of_dense * n * m;
    return fewer ? *truncated_ : *dense_;
  }

  VisitedColumns source_, target_;
  Real cut_;
  std::unique_ptr<KernelOperator> dense_, truncated_;
  Real epsilon_ = 1.0;
  Precision precision_ = Precision::full;
};

}  // namespace

std::unique_ptr<KernelOperator> make_adaptive_operator(const Cost& cost, const Points& source, const Points& target,
                                                       Range source_rows, Range target_rows, Real cut,
                                                       std::optional<Communicator> along_rows) {
  return std::make_unique<AdaptiveOperator>(
      visited_columns(cost, source), visited_columns(cost, target), cut,
      make_dense_operator(cost, source, target, source_rows, target_rows, std::move(along_rows)),
      make_truncated_operator(cost, source, target, source_rows, target_rows, cut));
}

}  // namespace hpot
