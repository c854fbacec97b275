// Which of the states 1, ..., L of a chain of sweeps are held while it is walked backwards, where not all of them fit.
//
// States are made in order, each from the one before; walking backwards needs them in reverse. Of a held state and `free`
// places for later ones, R(n, c) = min over m of [m + R(n - m, c - 1) + R(m - 1, c)] is the least number of sweeps that makes the
// n states after it available in reverse order: m sweeps to the next one that is held, those behind it first, then those
// before it; R(0, c) = 0. R is that of binomial checkpointing [Griewank, Walther 2000], found here by its recursion. With c >= n
// all are held, R = n; with one place R = n (n + 1)/2. Local.
#pragma once

#include "hpot/core/types.hpp"

#include <vector>

namespace hpot {

class SweepRecall {
 public:
  /// L >= 1 states, `places` >= fewest(L) fields to hold them in.
  SweepRecall(Index states, Index places);

  [[nodiscard]] static Index fewest(Index states) { return states < 3 ? states : 3; }
  /// m for n >= 1 states wanted after one that is held, `free` >= 1 places left.
  [[nodiscard]] Index distance(Index n, Index free) const;
  /// Sweeps of a walk to the last state and back; L where all are held.
  [[nodiscard]] Index sweeps() const;

 private:
  [[nodiscard]] Index at(Index n, Index free) const { return free * (most_ + 1) + n; }
  Index states_, most_, free_;
  std::vector<Index> cost_, distance_;  // of (n, free)
};

}  // namespace hpot
