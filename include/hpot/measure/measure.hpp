// From raw data to a measure: finite, non-negative weights.
#pragma once

#include "hpot/core/reduction.hpp"
#include "hpot/measure/support.hpp"

namespace hpot {

/// input.negative: what becomes of values below zero.
enum class NegativeValues {
  error,     // they are an input error
  clip,      // they count as zero
  positive,  // the positive part; used, with `negative`, by split
  negative,  // the negative part, with its sign turned
};

struct Measure {
  std::vector<Real> weights;  // [z][y][x], or of a cloud's points; of a grid those of the owned rows
  Real mass = 0.0;            // before normalisation
  Index masked = 0;           // NaN values, which count as zero
  Index clipped = 0;          // negative values that count as zero
};

/// Weights of `data`, scaled to mass 1 if `normalize` (also from masses near the ends of double's range), in its own array:
/// move it in where it is not needed any more. Local. InputError that names the data: negative values under `error`, no
/// mass at all, a mass that no double holds.
Measure make_measure(MeasureData data, NegativeValues negative, bool normalize);

/// The same of the owned rows: `data` holds their values alone. The weights are the same on any number of ranks. Collective along
/// rows; other ranks may be at another measure.
Measure make_measure(MeasureData data, NegativeValues negative, bool normalize, const OwnedRows& rows);

}  // namespace hpot
