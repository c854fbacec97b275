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
  Index grids = 1;    // that sweeps go through, the given one the last
  Index places = 50;  // states of sweeps on the given grid held at once

  /// How many grids they may go through: one, but of plain barycenters on a grid where the schedule has coarser ones. Implicit
  /// gradients are of the end of sweeps on the given grid, which a share of them does not come near enough to. Local.
  [[nodiscard]] Index grids_of(const Support& support) const;
  /// The share of each of so many grids.
  [[nodiscard]] Index sweeps_on_each(Index of_grids) const { return (sweeps + of_grids - 1) / of_grids; }
  /// Of `places`. Local.
  [[nodiscard]] Index most_places() const { return implicit() ? 1 : sweeps_on_each(grids); }
  [[nodiscard]] Index fewest_places() const { return implicit() ? 1 : SweepRecall::fewest(most_places()); }
  /// Sweeps made on the given grid for a gradient, those back apart.
  [[nodiscard]] Index sweeps_made() const {
    return implicit() ? sweeps_on_each(grids) : SweepRecall(sweeps_on_each(grids), places).sweeps();
  }
  [[nodiscard]] bool implicit() const { return gradient == SweepGradient::implicit; }

  /// InputError where costs of a matrix, whose rows have been read, differ between C_ij and C_ji and barycenters or the loss are
  /// debiased, which needs the costs within each map. Collective along rows.
  void check_matrix(const Support& support, const OwnedRows& rows) const;

  /// InputError where the loss is a transport between maps of which some mass may have no way to the other: on several components of a
  /// surface, on which p and the map have masses of their own, or within a cost.radius. Local.
  void check_surface(const Options& options, const std::string& section, const Support& support) const;

  /// eps, in the unit of the cost.
  [[nodiscard]] LossSettings loss_at(Real epsilon) const;

  /// SECTION.loss and so on; `sweeps`: their default; `of_sweeps`: what their help goes on with.
  static std::vector<OptionKey> keys(const std::string& section, const std::string& sweeps,
                                     const std::string& of_sweeps = {});
  /// `places` is the most.
  static SweepSettings from(const Options& options, const std::string& section);
};

/// Where sweeps are made: measures given by log b, those owned, down to eps in the unit of the cost.
struct SweepGrid {
  Support support;
  OwnedRows rows;
  Field log_weight;
  Real epsilon = 0.0;
  Index places = 1;  // states held at once, of as many as there are
};

/// Through all `grids`, the given one first, the coarsest one last, where they begin with potentials 0; an equal share of the L sweeps
/// on each. C_ij is the cost between point i of the barycenter and point j of a measure.
BarycenterSweeps make_sweeps(const SweepSettings& settings, const std::vector<SweepGrid>& grids,
                             const Communicator& along_batches, const std::function<void()>& before_sweep);

}  // namespace hpot
