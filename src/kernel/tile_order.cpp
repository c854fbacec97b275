#include "tile_order.hpp"

#include <algorithm>

namespace hpot {
namespace {

int longest_axis(const HostCloud& cloud, std::vector<int>::iterator begin, std::vector<int>::iterator end) {
  int longest = 0;
  Real length = -1.0;
  for (int d = 0; d < cloud.dimension; ++d) {
    Real least = infinity, most = -infinity;
    for (auto p = begin; p != end; ++p) {
      least = std::min(least, cloud.at(*p, d));
      most = std::max(most, cloud.at(*p, d));
    }
    if (most - least > length) {
      length = most - least;
      longest = d;
    }
  }
  return longest;
}

}  // namespace

void order_by_halving(const HostCloud& cloud, Index leaf, std::vector<int>::iterator begin,
                      std::vector<int>::iterator end) {
  const Index n = end - begin;
  if (n <= leaf) {
    std::sort(begin, end);
    return;
  }
  Index left = leaf;  // the largest power of two times a leaf below n
  while (2 * left < n) left *= 2;
  const int axis = longest_axis(cloud, begin, end);
  std::nth_element(begin, begin + left, end, [&](int p, int q) {
    const Real x = cloud.at(p, axis), y = cloud.at(q, axis);
    return x < y || (x == y && p < q);
  });
  order_by_halving(cloud, leaf, begin, begin + left);
  order_by_halving(cloud, leaf, begin + left, end);
}

}  // namespace hpot
