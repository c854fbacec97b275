// One sweep of any operator, or one gradient, on synthetic input of any size, for drivers/scaling. Collective.
//
//   separable        transport between two grids of n^dim points (synthetic:waves)
//   dense, stored    transport between two clouds of n points (synthetic:points), costs computed or kept
//   truncated        the same, near pairs only
//   matrix           transport by an explicit n x n cost matrix, double or float as the precision
//   heat, geodesic   transport between two maps on a sphere of at least n vertices (synthetic:sphere)
//   barycenter       `measures` grids of n^dim points (synthetic:waves), divided over rows x batches
//   coordinates      the quadratic loss of the barycenter that `sweeps` sweeps make of as many, all sweeps at one eps, `held` of
//                    them at once, and its gradient (barycenter_sweeps.hpp): what counts as a sweep here
// Grids may have other sides than n each.
// Weak scaling: the slowest axis of a grid, the points of clouds (where work grows with their square: n sqrt(ranks)) and
// the measures of a barycenter grow with the ranks.
//
// Calls and bytes that a rank hands to MPI in a sweep, N points, N_r of its rows, T tiles of all rows, R ranks along rows, B
// along batches (none over a communicator of one rank). A softmin over slabs takes l exchanges of whole lines there and l back,
// 8 (N_r + L_r) bytes in all, L_r points on the lines of this rank (src/kernel/cut_axis.hpp); l = 1 up to 2^18 such points; while
// one lot of lines is at work, its neighbours travel.
//   separable        2 softmins, 1 reduction of 8 T; in one dimension 2 gathers of 8 N_r instead of softmins
//   truncated, heat  2 gathers of 8 N_r, 1 reduction of 8 T; truncated, where rows are dealt by the pairs that they visit
//                    (kernel/balanced.hpp), 2 exchanges of 8 (rows dealt to this rank) more
//   dense, stored, matrix, geodesic   2 gathers of 8 N_r, 1 reduction of 8 (N + 2), 1 of 8 T
//                    (no row can begin before all of g has come, and column sums are whole only after the last row: nothing
//                    of these 24 N bytes, against N^2/R exponentials, travels while others are at work)
//   barycenter       along rows, K_r own measures: 2 K_r softmins, 1 reduction of 8 K_r T; debiased 1 softmin and 1 reduction
//                    of 8 T more
//                    along batches: 1 reduction of 8 N_r, 1 of 8 (the error)
//   coordinates      L sweeps, M with those made again. Along rows: softmins, an average counting as two: 2 K_r M, of the way back 5 K_r
//                    (L - 1) and K_r, debiased M + 4 (L - 1) more; 3 M + L + 2 reductions of 8 T (M + 2 + K_r L) + 16 M bytes in all
//                    along batches: 2 M + L reductions of 8 N_r (M + L - 1) + 8 M + 8 K bytes in all, K measures
#pragma once

#include "hpot/kernel/kernel_benchmarks.hpp"
#include "hpot/solver/fixed_point.hpp"
#include "hpot/solver/work_plan.hpp"

namespace hpot {

struct ScalingOptions {
  std::string op = "separable";
  Index n = 64;
  std::vector<Index> sides{};  // of grids, slowest axis first; empty: n each
  int dimension = 3;
  Index measures = 8;
  Index sweeps = 20;   // of coordinates
  Index held = 0;      // of their states; 0: all
  Real epsilon = 1.0;  // in the units of scaling.epsilon
  bool weak = false;
  bool debiased = false;
  Precision precision = Precision::full;

  static std::vector<OptionKey> keys();
  static ScalingOptions from(const Options& options);
  /// Of several measures, which ranks may divide.
  [[nodiscard]] bool of_measures() const { return op == "barycenter" || op == "coordinates"; }
  /// That a gradient of coordinates makes: sweeps, and those made again; of others 1.
  [[nodiscard]] Index sweeps_made() const;
  [[nodiscard]] bool on_grid() const { return op == "separable" || of_measures(); }
  [[nodiscard]] bool on_surface() const { return op == "heat" || op == "geodesic"; }
  /// As they are on so many ranks.
  [[nodiscard]] ScalingOptions on(int ranks) const;
};

struct ScalingCase {
  std::function<void()> sweep;
  std::string size;  // "64x64x64"
  // of a sweep on all ranks: pairs (output, input), along each axis where separable; outputs where not all pairs are visited; an average
  // counts as a softmin
  Real interactions = 0.0;
  std::vector<Demand> least;  // that this rank cannot do without in a sweep; none where that is not known
};

/// What a rank holds at most: that of a run without acceleration on such measures. Local.
WorkPlan plan_scaling(const ScalingOptions& options, ProcessGridShape shape);

/// At its eps, on its only level.
ScalingCase make_scaling_case(const ProcessGrid& processes, const ScalingOptions& options);

}  // namespace hpot
