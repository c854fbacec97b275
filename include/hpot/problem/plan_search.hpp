// The entries of a plan, row by row, without a visit to all pairs.
//
//   P_ij = a_i b_j exp((f_i + g_j - C_ij)/eps),  p = P 1,  q = P' 1
//   log P_ij        = A_i + (B_j - C_ij/eps),        A = log a + f/eps,  B = log b + g/eps
//   log (P_ij/p_i)  = s_i/eps + (B_j - C_ij/eps),    s = softmin(B)
//   log (P_ij/q_j)  = A_i + (r_j/eps - C_ij/eps),    r = softmin(A)
//
// An entry is of share t if it carries at least t of the mass of its row or of its column: P_ij >= t p_i or P_ij >= t q_j.
// The rule does not depend on the masses, is the same for the transposed plan, and keeps at most (N + M)/t entries: 1/t of
// every row and 1/t of every column.
//
// Target points form boxes, and these form boxes again, up to one: on a grid 2 x 2 x 2 at a time, of a cloud (in Morton order)
// and of the columns of a cost matrix runs of two. A row walks down from the top, and leaves a box out whole where a bound of
// V_j - C_ij/eps over its points, V = B or r/eps, is below the rule. Costs grow with every |x_d - y_d|: the largest V and the
// cost of the nearest point give one; a matrix's are at least 0. Where mass moves far, V rises as steeply as C, and that bound
// is loose. For |x-y|^2, with y_j = c + e_j, c and R the centre and half-widths of the box J, z = x_i - c, and any z_J,
//   V_j - C_ij/eps  <=  V_J - (|z|^2 - 2 sum_d |z_d - z_J,d| R_d)/eps,   V_J = max_j (V_j - |e_j|^2/eps + 2 z_J . e_j/eps)
// which is tight at z = z_J: z_J = -(gradient of g)/2 is where the mass of J comes from. V_J is bounded from the boxes below.
// Boxes of clouds have sides along the first three axes, and bounds are of the distances along these.
//
// Bounds include their rounding: what is found is exactly what a visit to all pairs would find. Where potentials are smooth
// and points few-dimensional a row takes O(entries + log M) steps, at most 2 M.
#pragma once

#include "hpot/kernel/registry.hpp"
#include "hpot/problem/transport_problem.hpp"

namespace hpot {

/// Boxes of the points of a grid, or of a row of points that is one axis: level 0 has the points, a box of level l + 1 two of
/// level l along every axis (fewer at the ends), the top level one box. Axes are counted fastest first.
struct BoxLevels {
  static constexpr int most = 48;
  int dimension = 1;
  int top = 0;
  Index n[3] = {1, 1, 1};
  Real origin[3] = {0.0, 0.0, 0.0};
  Real spacing[3] = {1.0, 1.0, 1.0};
  Index first[most + 1] = {0};  // value of a level's first box; last, the number of values

  [[nodiscard]] KOKKOS_INLINE_FUNCTION Index side(int level, int axis) const {
    return (n[axis] + (Index{1} << level) - 1) >> level;
  }
  /// First and last point of a box along an axis.
  [[nodiscard]] KOKKOS_INLINE_FUNCTION Index low(int level, Index box) const { return box << level; }
  [[nodiscard]] KOKKOS_INLINE_FUNCTION Index high(int level, int axis, Index box) const {
    return Kokkos::min(((box + 1) << level) - 1, n[axis] - 1);
  }
};
/// An index set or a cloud is one axis.
BoxLevels make_boxes(const Support& support);

using BoxValues = Kokkos::View<Real*, MemorySpace>;
using BoxAxes = Kokkos::View<Real**, Kokkos::LayoutRight, MemorySpace>;  // (box above level 0, axis)

/// All that a search needs. Views are of the owned rows or, `boxes`, of all targets.
struct PlanSearch {
  OwnedRows rows;
  Support source_support, target_support;
  Cost cost;
  std::shared_ptr<const CostMatrix> matrix;  // instead of `cost`; its rows are `rows`
  Real epsilon = 1.0;
  Field source;                              // A; log_zero where a = 0
  Field row_share;                           // s/eps
  Field mass;                                // p
  BoxLevels boxes;                           // of the targets
  Points source_points, target_points;       // of clouds, all
  BoxAxes ends;                              // of clouds: the boxes' lower, then upper ends
  Kokkos::View<Index*, MemorySpace> number;  // in the input, of a cloud's targets; empty: as they are
  BoxValues target;                          // B and its V_J
  BoxValues column;  // r/eps and its V_J, log_zero where b = 0; empty where columns play no part
  BoxAxes tilt;      // z_J, for |x-y|^2
  Real plan_mass = 0.0;
};

/// `problem` joins these supports by `kernel`; f and g are of its owned rows. `by_columns` false: entries of share t are
/// those with P_ij >= t p_i. Sets the operator to full precision and problem.epsilon. Collective.
PlanSearch make_plan_search(const TransportProblem& problem, const Support& source, const Support& target,
                            const KernelOptions& kernel, const ConstField& f, const ConstField& g,
                            bool by_columns = true);

/// One side of a plan: A, or B; s, or r; and that over eps, log_zero where weights are 0.
struct PlanSide {
  Marginal marginal;
  Support support;
  ConstField potential;
  Field log_mass, softmin, share;
};

/// A plan of two clouds, for searches of w_i P_ij: for entries of share t by rows and by columns, and for those of its
/// transpose, which are the same. w >= 0, of the owned sources. Two softmins; precision stays what it is. Collective.
class CloudPlan {
 public:
  CloudPlan(const TransportProblem& problem, const PointCloud& source, const PointCloud& target, const Cost& cost,
            const ConstField& f, const ConstField& g);
  [[nodiscard]] PlanSearch rows(const ConstField& w) const;
  [[nodiscard]] PlanSearch columns(const ConstField& w) const;

 private:
  Cost cost_;
  Real epsilon_;
  PlanSide source_, target_;
};

struct EntryCounts {
  std::vector<Index> of_rows;  // owned
  Index global = 0;
  Real mass = 0.0;  // of all entries counted, the same on any number of ranks
};
/// Entries of share `share`, 0 < share <= 1. Collective.
EntryCounts count_entries(const PlanSearch& search, Real share);

/// Coordinate list; numbers of points in the order of the input.
struct PlanEntries {
  std::vector<Index> source;
  std::vector<Index> target;
  std::vector<Real> value;
};
/// Entries of the local rows `rows`, in their order, each row's by target. Counts are `counts.of_rows`. Local.
PlanEntries entries_of(const PlanSearch& search, Real share, const EntryCounts& counts, const std::vector<Index>& rows);

/// Those of all owned rows, where they are needed: P_ij/p_i, targets numbered as the support does.
struct KeptEntries {
  Kokkos::View<Index*, MemorySpace> begin;  // of each row's, by target; then the end of the last
  Kokkos::View<int*, MemorySpace> target;
  Kokkos::View<float*, MemorySpace> share;
};
KeptEntries keep_entries(const PlanSearch& search, Real share, const EntryCounts& counts);

}  // namespace hpot
