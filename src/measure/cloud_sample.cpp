#include "hpot/measure/cloud_sample.hpp"

#include "hpot/measure/random.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace hpot {

void add_points(const PointCloud& cloud, const std::vector<Real>& weights, Real factor, Index number, Index seed,
                CloudSample& sample) {
  const RandomStream stream(static_cast<std::uint64_t>(seed), "cloud_sample", static_cast<std::uint64_t>(number));
  for (Index p = 0; p < cloud.points(); ++p) {
    const Real weight = factor * weights[p];
    if (!(weight > 0.0)) continue;
    const Index in_input = cloud.order == nullptr ? p : (*cloud.order)[p];
    const Real u = (static_cast<Real>(stream.bits(static_cast<std::uint64_t>(in_input)) >> 11) + 0.5) * 0x1p-53;
    sample.rows.push_back(std::max(std::log(u) / weight, -1e300));
    sample.rows.push_back(static_cast<Real>(number));
    sample.rows.push_back(static_cast<Real>(in_input));
    for (int d = 0; d < cloud.dimension; ++d) sample.rows.push_back(cloud.at(p, d));
  }
}

CloudSample best_of(const CloudSample& sample, Index count) {
  const Index width = sample.width();
  const auto row = [&](Index r) { return sample.rows.begin() + r * width; };
  const auto better = [&](Index r, Index s) {  // then by number
    if (*row(r) != *row(s)) return *row(r) > *row(s);
    return std::lexicographical_compare(row(r) + 1, row(r) + 3, row(s) + 1, row(s) + 3);
  };
  const auto before = [&](Index r, Index s) {
    return std::lexicographical_compare(row(r) + 3, row(r) + width, row(s) + 3, row(s) + width);
  };
  std::vector<Index> chosen(sample.points());
  std::iota(chosen.begin(), chosen.end(), Index{0});
  std::sort(chosen.begin(), chosen.end(), [&](Index r, Index s) {
    if (before(r, s) || before(s, r)) return before(r, s);
    return better(r, s);
  });
  const auto at_one_place = [&](Index r, Index s) { return !before(r, s); };
  chosen.erase(std::unique(chosen.begin(), chosen.end(), at_one_place), chosen.end());
  std::sort(chosen.begin(), chosen.end(), better);
  chosen.resize(std::min<std::size_t>(chosen.size(), static_cast<std::size_t>(count)));
  std::sort(chosen.begin(), chosen.end(), [&](Index r, Index s) {
    return std::lexicographical_compare(row(r) + 1, row(r) + 3, row(s) + 1, row(s) + 3);
  });
  CloudSample best{sample.dimension, {}};
  for (const Index r : chosen) best.rows.insert(best.rows.end(), row(r), row(r) + width);
  return best;
}

PointCloud cloud_of(const CloudSample& sample) {
  std::vector<Real> coordinates;
  for (Index r = 0; r < sample.points(); ++r) {
    const auto row = sample.rows.begin() + r * sample.width();
    coordinates.insert(coordinates.end(), row + 3, row + sample.width());
  }
  return make_cloud(sample.dimension, std::move(coordinates));
}

}  // namespace hpot
