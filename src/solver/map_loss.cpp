#include "hpot/solver/map_loss.hpp"

#include "hpot/core/field.hpp"
#include "hpot/problem/barycenter_problem.hpp"
#include "hpot/problem/map_distance.hpp"

namespace hpot {
namespace {

class PointwiseLoss final : public MapLoss {
 public:
  PointwiseLoss(const LossSettings& settings, const OwnedRows& rows, const Reference& q, const Field& target)
      : name_(settings.name),
        smoothing_(settings.smoothing),
        rows_(rows),
        q_(q),
        target_(target),
        square_(sum_of_squares(rows, q_, target)) {}

  Real evaluate(const ConstField& log_p, const Field& slope) override {
    if (name_ == "quadratic") return quadratic_distance(rows_, q_, log_p, target_, square_, slope);
    if (name_ == "l1") return l1_distance(rows_, q_, log_p, target_, smoothing_, slope);
    return kl_distance(rows_, log_p, target_, slope);
  }

 private:
  std::string name_;
  Real smoothing_;
  OwnedRows rows_;
  Reference q_;
  Field target_;
  Real square_;
};

class TransportLoss final : public MapLoss {
 public:
  TransportLoss(const LossSettings& settings, const Support& support, const OwnedRows& rows, const Field& target)
      : settings_(settings.transport),
        debiased_(settings.name == "wasserstein"),
        support_(support),
        rows_(rows),
        target_(whole(target)) {
    if (debiased_) of_target_ = self_transport(target_).values.dual_cost;
  }

  Real evaluate(const ConstField& log_p, const Field& slope) override {
    mean_of_ratio(Reference(ConstField(), 1), log_p, slope);
    std::vector<Real> p = whole(slope);
    const TransportSolution to_target =
        solve_transport(rows_.along_rows, settings_, {support_, support_, p, target_, Balanced{}, Balanced{}}, {});
    Kokkos::deep_copy(slope, to_target.f);
    if (!debiased_) return to_target.values.dual_cost;
    const TransportSolution to_itself = self_transport(std::move(p));
    combine(-0.5, to_itself.f, 1.0, slope);
    combine(-0.5, to_itself.g, 1.0, slope);
    return to_target.values.dual_cost - 0.5 * to_itself.values.dual_cost - 0.5 * of_target_;
  }

 private:
  [[nodiscard]] std::vector<Real> whole(const ConstField& owned) const {
    const Field all = make_unset_field("hpot::TransportLoss::whole", 1, rows_.partition.global_n());
    rows_.along_rows.gather_points(owned, all, rows_.partition.offsets());
    return host_values(all);
  }

  [[nodiscard]] TransportSolution self_transport(std::vector<Real> weights) const {
    if (is_solved_by_symmetry(settings_.kernel))
      return solve_self_transport(rows_.along_rows, settings_, {support_, std::move(weights)});
    std::vector<Real> again = weights;
    return solve_transport(rows_.along_rows, settings_,
                           {support_, support_, std::move(weights), std::move(again), Balanced{}, Balanced{}}, {});
  }

  TransportSettings settings_;
  bool debiased_;
  Support support_;
  OwnedRows rows_;
  std::vector<Real> target_;
  Real of_target_ = 0.0;
};

}  // namespace

std::vector<std::string> LossSettings::names() { return {"quadratic", "l1", "kl", "wasserstein", "wasserstein_plain"}; }

std::unique_ptr<MapLoss> make_map_loss(const LossSettings& settings, const Support& support, const OwnedRows& rows,
                                       const Reference& q, const Field& target) {
  if (settings.name.starts_with("wasserstein")) return std::make_unique<TransportLoss>(settings, support, rows, target);
  return std::make_unique<PointwiseLoss>(settings, rows, q, target);
}

}  // namespace hpot
