// A support of which every rank keeps its own part while nobody needs the others.
#pragma once

#include "hpot/measure/rows.hpp"

namespace hpot {

/// Of a cloud the points of the owned rows; of other supports, and where one rank owns all, what was given. A cloud's
/// memory is freed when all who share its points have let them go.
class DividedSupport {
 public:
  /// Local.
  DividedSupport(Support support, const Communicator& along_rows);
  /// What was given, to the bit. Collective along rows.
  [[nodiscard]] Support whole() const;

 private:
  Support given_;  // where nothing is divided
  OwnedRows rows_;
  int dimension_ = 0;  // of a divided cloud
  std::vector<Real> coordinates_;
  std::vector<Real> order_;  // empty where the cloud has none
  bool ordered_ = false;
};

}  // namespace hpot
