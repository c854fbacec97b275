// The entries of a plan that matter, kept, for many products with them: what Newton's method takes for the plan of two clouds
// (dual_hessian.hpp). Entries of share 1e-5 (plan_search.hpp) of the sources that are chosen:
//
//   P~_ij = w_i P_ij or 0,  r~ = P~ 1,  c~ = P~' 1
//
// Where there is room, all are, w = 1. Else, where plans are so wide that many sources say the same, they are drawn, with
//   w_i = 1/pi_i [Horvitz, Thompson 1952],  pi_i = min(1, e + k V_i),  V_i the variance of the targets of i
// sources between heaps of targets are few, and how much mass goes to which heap is theirs to say. Half of the room is for e,
// half for k. V is taken along one oblique direction, by two averages.
//
// Shares are floats, of the row in one list and of the column in the other, so that either side's sums run along a list, in the
// order of the points: the same bits on any number of ranks. Memory: 16 bytes an entry, divided over ranks.
// Ledger of a product: 8 bytes and 2 flops an entry, and a number gathered.
#pragma once

#include "hpot/problem/block_space.hpp"
#include "hpot/problem/plan_search.hpp"

#include <optional>

namespace hpot {

class KeptPlan {
 public:
  /// At (f, g), which need not be optimal; of about `most` entries for each target at most, nothing where that leaves fewer than
  /// 64 sources. Some ten kernel products. Collective along rows, as all members are but the accessors.
  static std::optional<KeptPlan> of(const TransportProblem& problem, const PointCloud& source, const PointCloud& target,
                                    const Cost& cost, const ConstField& f, const ConstField& g, Real most);

  /// mean_i = sum_j P~_ij v_j / r~_i of the rows of `side`, owned; 0 where nothing is kept.
  void average(Side side, const ConstField& v, const Field& mean) const;
  /// result_j = sum_i w_i P~_ij^2 of the targets.
  void squares(const ConstField& w, const Field& result) const;
  /// sum_i w_i p_i(I) p_i(J), p_i(J) the share of row i that lies in block J, w >= 0; blocks are runs of targets.
  [[nodiscard]] std::vector<BlockCoupling> couplings(const ConstField& w, const BlockSpace& blocks) const;

  /// Of all sources, were they all chosen.
  [[nodiscard]] Real entries_of_a_row() const { return entries_of_a_row_; }
  /// r~ or c~.
  [[nodiscard]] const Field& marginal(Side side) const { return part(side).mass; }

 private:
  struct Part {
    OwnedRows rows;
    KeptEntries entries;
    Field whole;  // sum of P: shares are of it
    Field mass;
  };
  KeptPlan(Part source, Part target, Real entries_of_a_row)
      : source_(std::move(source)), target_(std::move(target)), entries_of_a_row_(entries_of_a_row) {}
  static Part keep(const PlanSearch& search, const EntryCounts& counts);
  [[nodiscard]] const Part& part(Side side) const { return side == Side::source ? source_ : target_; }
  [[nodiscard]] Field gathered(Side side, const ConstField& v) const;

  Part source_, target_;
  Real entries_of_a_row_;
};

}  // namespace hpot
