// Kernel operator of a separable cost between two grids, axis by axis.
//
// A point's sum factorises: exp(-C/eps) is a tensor product of one matrix per axis, so that the log-sum-exp over a volume
// is one log-sum-exp along each axis in turn. O(d n N) terms instead of N^2. The two sides may be different grids (a
// coarse and a fine level); any dimension 1 to 3, side lengths and spacings.
//
// Rows: this rank computes the outputs whose slowest index lies in its block of planes, and the slowest axis goes first, so
// that every later axis works on owned planes only. Along it lines are whole: all inputs are given, or the owned planes alone
// (slabs) and the lines are dealt out by transposes (src/kernel/cut_axis.hpp has their bytes). Each output is formed from the
// same numbers in the same order on any number of ranks (images: where blocks begin at multiples of eight rows). Costs are
// convex along every axis: terms outside of windows are left out (axis_kernels.hpp), so many that a sum along an axis loses at
// most `window_cut` of what it keeps; in mixed precision 1e-10 where that is larger, since its exponentials err by more.
#pragma once

#include "hpot/core/reduction.hpp"
#include "hpot/kernel/operator.hpp"
#include "hpot/measure/grid.hpp"

namespace hpot {

inline constexpr Real default_window_cut = 1e-15;

/// What fix_average keeps of a pass at most, in weights for each output, and one value more; where it takes more, nothing.
inline constexpr Real most_kept_weights = 5.0;
/// Of volumes fix_average keeps nothing: as much memory as all else together would make a run faster by an eighth to a third.
inline constexpr int most_kept_dimension = 2;
/// What a side's passes are expected to keep, in values for each output; 0 where nothing.
[[nodiscard]] Real kept_values(const Cost& cost, const Grid& grid, Real epsilon);

/// Local operator: h holds ALL points of the other side; s the rows [begin, end) of `source_rows` or `target_rows`, which
/// must be whole planes. Cost must be separable. window_cut = 0: all terms of every line.
std::unique_ptr<KernelOperator> make_separable_operator(const Cost& cost, const Grid& source, const Grid& target,
                                                        Range source_rows, Range target_rows,
                                                        Real window_cut = default_window_cut);

/// The same over slabs: h and s hold the owned rows of both sides, whole planes. Collective along rows in every reduction. Of
/// two dimensions or three; along one there is a single line, which is gathered instead (distributed.hpp).
std::unique_ptr<KernelOperator> make_slab_operator(const Cost& cost, const Grid& source, const Grid& target,
                                                   const OwnedRows& source_rows, const OwnedRows& target_rows,
                                                   Real window_cut = default_window_cut);

/// Values that a slab operator of a grid with itself has on the way between `ranks`, and back, of so many arrays: one in a
/// softmin, two in an average.
[[nodiscard]] Real values_between(const Grid& grid, int ranks, int arrays);

}  // namespace hpot
