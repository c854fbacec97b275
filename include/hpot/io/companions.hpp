// Maps that hpot-barycenter writes beside its barycenters, for comparison: Euclidean means and the measures themselves, as they
// were solved (clipped, split, scaled to mass 1 or not).
#pragma once

#include "hpot/core/options.hpp"
#include "hpot/io/input.hpp"

#include <algorithm>

namespace hpot {

struct CompanionOptions {
  bool mean = false;
  Index measures = 0;

  static std::vector<OptionKey> keys();
  static CompanionOptions from(const Options& options);
  [[nodiscard]] bool any() const { return mean || measures > 0; }
  /// How many there are in the end, of one part.
  [[nodiscard]] Index maps(Index rows, Index count) const { return (mean ? rows : 0) + std::min(measures, count); }
};

/// Owned rows of each.
struct Companions {
  std::vector<ConstField> means;     // for every row of weights
  std::vector<ConstField> measures;  // the first ones, in their order
};

/// Those of one row of weights, and with the first row the measures; nothing where none are wanted. `weights` and `lambda` are owned along batches.
/// Collective.
void add_companions(const CompanionOptions& options, const ProcessGrid& processes, const OwnedRows& rows,
                    const RawMeasures& raw, const std::vector<std::vector<Real>>& weights,
                    const std::vector<Real>& lambda, Companions& companions);

}  // namespace hpot
