// Displacement interpolation of a plan [McCann 1997]: at time t the mass P_ij lies at (1 - t) x_i + t y_j.
//
// Each entry's mass is divided over the corners of its grid cell by the multilinear weights, so that the mass and the
// mean are exact: the mean of a frame moves linearly in t. At t = 0 and 1 the frames are the plan's marginals.
//
// Entries P_ij < p_i 1e-6/M, M the number of targets, are left out: less than 1e-6 of every row. What is kept of a row is
// scaled to the row's mass p_i.
//
// Sums are formed in integers, multiples of 2^-62 of the plan's mass: they are the same in any order, over threads and
// ranks, and no mass is lost where an entry is divided.
#pragma once

#include "hpot/problem/plan_search.hpp"

namespace hpot {

/// Share of every row that is left out at most.
inline constexpr Real interpolation_left_out = 1e-6;

/// Frames (times, points) on rank 0 of search.rows.along_rows, elsewhere empty. `search` joins a grid with itself. Arrays of
/// all points: one a time on every rank, and on rank 0 one more. Entries times frames times corners of work. Collective.
std::vector<Real> interpolate(const PlanSearch& search, const std::vector<Real>& times);

/// 0, 1/(n-1), ..., 1.
std::vector<Real> frame_times(Index frames);

}  // namespace hpot
