#include "hpot/solver/sweep_recall.hpp"

#include <algorithm>
#include <stdexcept>

namespace hpot {

SweepRecall::SweepRecall(Index states, Index places)
    : states_(states), most_(std::max<Index>(states - 2, 0)), free_(std::clamp<Index>(places - 2, 0, most_)) {
  if (places < fewest(states)) throw std::logic_error("SweepRecall: too few places");
  const auto size = static_cast<std::size_t>((free_ + 1) * (most_ + 1));
  cost_.assign(size, 0);
  distance_.assign(size, 1);
  for (Index c = 1; c <= free_; ++c) {
    for (Index n = 1; n <= most_; ++n) {
      Index& best = cost_[at(n, c)];
      if (n <= c) {
        best = n;
        continue;
      }
      best = std::numeric_limits<Index>::max();
      for (Index m = c == 1 ? n : 1; m <= n; ++m) {  // with one place, behind it is no room
        const Index cost = m + cost_[at(n - m, c - 1)] + cost_[at(m - 1, c)];
        if (cost >= best) continue;
        best = cost;
        distance_[at(n, c)] = m;
      }
    }
  }
}

Index SweepRecall::distance(Index n, Index free) const { return distance_[at(n, std::min(free, free_))]; }

Index SweepRecall::sweeps() const { return std::min<Index>(states_, 2) + cost_[at(most_, free_)]; }

}  // namespace hpot
