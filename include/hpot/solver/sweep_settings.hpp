// How barycenters are made of sweeps and what is asked of them: what programs that fit weights or measures to maps have in common.
#pragma once

#include "hpot/solver/barycenter_sweeps.hpp"
#include "hpot/solver/map_loss.hpp"

namespace hpot {

struct SweepSettings {
  KernelOptions kernel;
  EpsilonOptions epsilon;
  ScheduleOptions schedule;
  Precision precision = Precision::full;
  bool debiased = false;
  Index sweeps = 50;
  SweepGradient gradient = SweepGradient::unrolled;
  std::string loss = "quadratic";
  Real smoothing = 1e-3;
  Real loss_tolerance = 1e-7;
  Index places = 50;  // states of sweeps held at once

  /// Of `places`. Local.
  [[nodiscard]] Index fewest_places() const { return implicit() ? 1 : SweepRecall::fewest(sweeps); }
  [[nodiscard]] Index most_places() const { return implicit() ? 1 : sweeps; }
  /// Sweeps made for a gradient, those back apart.
  [[nodiscard]] Index sweeps_made() const { return implicit() ? sweeps : SweepRecall(sweeps, places).sweeps(); }
  [[nodiscard]] bool implicit() const { return gradient == SweepGradient::implicit; }

  /// InputError where costs of a matrix, whose rows have been read, differ between C_ij and C_ji and barycenters or the loss are
  /// debiased, which needs the costs within each map. Collective along rows.
  void check_matrix(const Support& support, const OwnedRows& rows) const;

  /// InputError where the loss is a transport between maps of which some mass may have no way to the other: on several components of a
  /// surface, on which p and the map have masses of their own, or within a cost.radius. Local.
  void check_surface(const Options& options, const std::string& section, const Support& support) const;

  /// eps, in the unit of the cost.
  [[nodiscard]] LossSettings loss_at(Real epsilon) const;

  /// SECTION.loss and so on; `sweeps`: their default.
  static std::vector<OptionKey> keys(const std::string& section, const std::string& sweeps);
  /// `places` is the most.
  static SweepSettings from(const Options& options, const std::string& section);
};

/// Of measures given by log b, those owned, at eps_target = `epsilon` in the unit of the cost. C_ij is the cost between point i of
/// the barycenter and point j of a measure.
BarycenterSweeps make_sweeps(const SweepSettings& settings, const Support& support, const OwnedRows& rows,
                             const Communicator& along_batches, const Field& log_weight, Real epsilon,
                             std::function<void()> before_sweep);

}  // namespace hpot
