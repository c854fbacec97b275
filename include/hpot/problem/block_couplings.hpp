// How strongly the semi-dual's Hessian S couples blocks of target points: about Z'SZ, Z the blocks' indicators.
//
// Off the diagonal, (Z'SZ)_IJ = -sum_i q_i r_i p_i(I) p_i(J), where p_i(J) is the share of row i of the plan that lies in
// block J and r_i the row's mass (q of dual_hessian.hpp). Along one axis the shares of the block at the row's mean and of two
// to either side follow from five averages: of the position, and of every fifth stripe of blocks, counted from each of four.
// Shares of the grid's blocks are taken as products over the axes: as if a row's spread along one axis did not depend on
// where it is along another, which is exact in one dimension and what an approximation can bear in more. Rows that reach
// farther, around holes of the target, are put into nearer blocks.
//
// Couplings are added up as integers, multiples of a 2^-52th of the plan's mass: the same bits in any order of rows, on any
// number of threads and ranks. Memory: 2 fields of the source, 24 bytes for each of its rows and axes, and 9 integers for
// each block and axis that has more than one, multiplied.
#pragma once

#include "hpot/problem/block_space.hpp"
#include "hpot/problem/dual_hessian.hpp"

namespace hpot {

/// All couplings, by ascending first, on every rank. `work`, a field of the target, is overwritten. Collective along rows.
std::vector<BlockCoupling> block_couplings(const DualHessian& hessian, const BlockSpace& blocks, const Field& work);

/// Kernel products that it takes where the Hessian keeps no plan.
[[nodiscard]] Index products_of_couplings(const BlockSpace& blocks);

/// Integers that a block counts its couplings in, multiplied over the axes, whose numbers of blocks are given: it may be
/// coupled to blocks four before and four after it.
[[nodiscard]] constexpr Index counts_along(Index blocks) { return blocks > 1 ? 9 : 1; }

}  // namespace hpot
