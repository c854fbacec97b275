// The total variation of a map on a grid, and the pieces of its prox in the geometry of KL.
//
//   (grad mu)_i = (u/h_d (mu_(i + e_d) - mu_i))_d, 0 across the border;  h_d spacings, u a unit of length
//   TV(mu) = sum_i |(grad mu)_i|_2 = max over |w_i|_2 <= 1 of <w, grad mu>:  with u fixed the same on finer grids of one density
//   mu_w = q exp(base - grad'w/eps),   |w_i|_2 <= tau                                              [Cuturi, Peyre 2016, section 4]
// The prox min over mu of eps KL(mu | q exp(base)) + tau TV(mu) is mu_w at the w that maximises -eps mass(mu_w), whose gradient is
// grad mu_w. What any w leaves:
//   gap = tau TV(mu_w) - <w, grad mu_w> = sum of terms >= 0,   eps (KL(mu_w | prox) + KL(prox | mu_w)) <= gap:
// primal less dual value, where eps KL(. | prox) bounds what the primal at mu_w has too much, and eps KL(prox | mu_w) what the dual
// at w lacks.
//
// A step of ascent, of point i:  w_i + (grad mu)_i/L_i,  L_i = max over d of (u/h_d)^2 2 dim (mu_i + mu_(i + e_d))/eps,  above the
// second derivative: it is that of empty and of full regions alike, and moves no log mu by more than 1.
//
// Fields of the owned rows: log densities (1, points), w (dimension, points). Rows are slabs of whole planes: the plane next to a
// slab comes from another rank, one exchange for each visit. Collective along rows, unless marked local; the same bits on any
// number of ranks.
#pragma once

#include "hpot/measure/grid.hpp"
#include "hpot/measure/halo.hpp"
#include "hpot/problem/barycenter_problem.hpp"

namespace hpot {

/// How a grid's points lie to one another, for kernels.
struct GridSteps {
  int dimension = 0;
  Index extent[3] = {1, 1, 1};
  Index stride[3] = {0, 0, 0};
  Real scale[3] = {0.0, 0.0, 0.0};  // u/h_d
  Index first = 0;                  // of the points that i counts

  /// Which neighbours a point has on every axis.
  struct Neighbours {
    bool last[3], next[3];
  };
  KOKKOS_INLINE_FUNCTION Neighbours neighbours(Index i) const {
    Neighbours has;
    Index rest = first + i;
    for (int d = dimension - 1; d >= 0; --d) {
      const Index lines = rest / extent[d];
      const Index place = rest - lines * extent[d];
      has.last[d] = place > 0;
      has.next[d] = place + 1 < extent[d];
      rest = lines;
    }
    return has;
  }
};
/// Local.
GridSteps steps_of(const Grid& grid, Real unit);

/// A rank's slab of a grid.
struct GridSlab {
  OwnedRows rows;
  GridSteps steps;
  Halo halo;

  /// `whole`: steps of the grid. Local.
  GridSlab(const OwnedRows& owned, const GridSteps& whole);
};

struct Variation {
  Real total = 0.0;  // TV(mu)
  Real gap = 0.0;
};

/// log_ratio = base - grad'w/eps; may be `base`. 8 (2 + dim) bytes a point.
void add_divergence(const GridSlab& slab, const ConstField& base, const Field& w, Real epsilon, const Field& log_ratio);

/// Of mu = q exp(log_ratio), made with w. dim + 1 exponentials a point.
Variation variation_of(const GridSlab& slab, Real q, const ConstField& log_ratio, Real tau, const ConstField& w);

/// y <- the step of ascent from y, where log_ratio belongs to y, projected on the balls. Returns sum L (y - y_new).(y_new - w), above 0
/// where momentum leads the wrong way. dim + 1 exponentials a point.
Real ascend(const GridSlab& slab, Real q, const ConstField& log_ratio, Real epsilon, Real tau, const Field& y,
            const ConstField& w);

/// w_new = y, y = w_new + beta (w_new - w). Local.
void go_on(Real beta, const Field& y, const Field& w);

/// w_i <- the nearest point of its ball. Local.
void project(Real tau, const Field& w);

}  // namespace hpot
