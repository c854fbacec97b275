// Every kernel of this layer with deterministic data and its ledger, for drivers/bench. Local.
//
// Kernels of one axis take all terms of rough values. Sweeps reduce every axis of a grid, from potentials as a solution
// has them, with what they do counted in their windows: exponentials, and multiply-adds beside them.
#pragma once

#include "hpot/core/communicator.hpp"
#include "hpot/kernel/ceilings.hpp"
#include "hpot/kernel/cost_matrix.hpp"

#include <string>
#include <vector>

namespace hpot {

/// So many units of a ceiling are needed at least.
struct Demand {
  Ceiling ceiling;
  double amount;
};

struct Benchmark {
  std::string kernel;
  std::string size;       // "64x64x64"
  Real epsilon = 0.0;     // 0: none
  std::string precision;  // mixed or double
  double amount = 0.0;    // of what the rate counts
  std::string unit;       // "terms", "points"
  std::vector<Demand> demands;
  double bytes = 0.0;  // of the data and of what the kernel needs beside them
  /// Makes the data, which live as long as what it returns; adds to `made` the demands, and the amount, that depend on them.
  std::function<std::function<void()>(Benchmark& made)> prepare;

  /// The ceiling that allows the least speed.
  [[nodiscard]] Ceiling binding(const Ceilings& ceilings) const;
  /// The seconds that it allows.
  [[nodiscard]] double bound(const Ceilings& ceilings) const;
};

struct BenchmarkSizes {
  Index volume = 128;  // side of the volume, and length of the lines of the axis kernels
  Index image = 512;   // side of the image; sweeps take one of twice that, too
};

std::vector<Benchmark> kernel_benchmarks(const BenchmarkSizes& sizes);

/// The rows `owned` of n x n costs in [0, 1.05]: squared distances on a line, and a little noise. Stored as floats where mixed.
std::shared_ptr<const CostMatrix> synthetic_matrix(Index n, Range owned, Precision storage);

/// Sweeps over all pairs of points of an image of this side, of as many in a volume, and by a cost matrix of as many rows and
/// columns, in one visit to the pairs and in two. `self` is this rank alone.
std::vector<Benchmark> pair_benchmarks(const Communicator& self, Index side);

/// Sweeps of the truncated operator between two clouds of 16 times the image's points, in 2 and in 3 dimensions: terms are
/// the pairs that it visits.
std::vector<Benchmark> truncated_benchmarks(Index side);

}  // namespace hpot
