// A measure and its coarse copies, for multiscale solves.
#pragma once

#include "hpot/kernel/registry.hpp"

namespace hpot {

struct MeasureLevel {
  Support support;
  OwnedRows rows;
  std::vector<Real> weights;  // of the owned rows
};

/// `count` levels, the given one first. `weights`: of all points on every rank, or of a grid the owned rows alone, which coarse
/// copies are then made from without the others. Collective along rows.
std::vector<MeasureLevel> make_measure_levels(Support support, std::vector<Real> weights,
                                              const Communicator& along_rows, int count);

}  // namespace hpot
