// The loss of a dictionary and its gradient [Schmitz et al. 2018, Eq. 10]: atoms b_1, ..., b_K and weights lambda_n of N maps t_n,
//
//   F(b, lambda) = mean over n of F_n,   F_n = loss(p^L(b, lambda_n), t_n)
// or the mean over some of the maps. A point is a list of K P + N K numbers, P points of the support: all atoms, then all weights.
//
// Maps are divided along batches, rows along rows; atoms are on all ranks. A gradient takes one reduction of the atoms' part,
// whose bits do not depend on the number of batches (orderless_sum.hpp), and one of the numbers of the maps. Collective.
#pragma once

#include "hpot/problem/orderless_sum.hpp"
#include "hpot/solver/coordinate_objective.hpp"
#include "hpot/solver/sweep_settings.hpp"

namespace hpot {

class DictionaryObjective {
 public:
  /// `maps`: the owned rows of the maps owned here, of mass 1, whose rows it shares. `look_around` is called on all ranks alike,
  /// before each sweep where one takes long, else before some of the maps; what it throws reaches the caller.
  DictionaryObjective(const ProcessGrid& processes, const SweepSettings& settings, const Support& support,
                      const Field& maps, Index atoms, Real epsilon, std::function<void()> look_around);

  [[nodiscard]] Index maps() const { return batch_.count(); }
  [[nodiscard]] Index atoms() const { return atoms_; }
  [[nodiscard]] Index variables() const { return atoms_ * points_ + batch_.count() * atoms_; }

  /// The mean over these maps, and its derivative: 0 by the weights of others.
  Real evaluate(const std::vector<Real>& point, const std::vector<Index>& maps, std::vector<Real>& slope);
  /// F_n of all maps.
  std::vector<Real> losses(const std::vector<Real>& point);

  /// The owned rows on this rank to all points on all ranks, row by row.
  [[nodiscard]] std::vector<Real> whole(const ConstField& owned) const;
  /// Sweeps that a gradient of one map makes.
  [[nodiscard]] Index sweeps() const { return objective_.sweeps().sweeps(); }

 private:
  void set_atoms(const std::vector<Real>& point);
  [[nodiscard]] std::vector<Real> weights(const std::vector<Real>& point, Index map) const;
  /// work(n) for those of the maps that are owned here; `looks`: how often one of them looks around.
  void for_maps(const std::vector<Index>& maps, Index looks, const std::function<void(Index map)>& work);

  Communicator along_batches_;
  Partition partition_;  // of the maps
  OwnedRows rows_;
  Index atoms_, points_;
  OwnedBatch batch_;  // of the maps
  std::function<void()> look_around_;
  bool each_sweep_;
  Index maps_between_looks_;
  std::vector<std::shared_ptr<MapLoss>> losses_;  // of the owned maps
  Field log_atoms_, slope_;
  CoordinateObjective objective_;
  OrderlessSum sum_;
};

}  // namespace hpot
