#include "hpot/solver/work_plan.hpp"

#include <algorithm>
#include <numeric>

namespace hpot {
namespace {

/// So many points, all at one place.
Support stand_in(int dimension, Index points) {
  return make_cloud(dimension, std::vector<Real>(static_cast<std::size_t>(points * dimension), 0.0));
}

}  // namespace

Support CloudSizes::largest() const { return IndexSet{*std::max_element(points.begin(), points.end())}; }

/// One pair is solved at a time, beside what is there of all (FreeSupportMap, FreeSupportData, raw measures).
WorkPlan plan_free_support(const BarycenterSettings& settings, const BarycenterRun& run) {
  const CloudSizes& clouds = run.clouds;
  TransportSettings pair = settings.of_pair();
  pair.acceleration = settings.acceleration_on(run.support);
  pair.epsilon.unit = "cost";
  TransportRun of_pair;
  of_pair.source = stand_in(clouds.dimension, clouds.wanted);
  of_pair.target = stand_in(clouds.dimension, run.support.points());
  of_pair.ranks = run.shape.rows;
  WorkPlan plan = plan_transport(pair, of_pair);
  const Partition batches(run.measures, 1, run.shape.batches);
  Real owned_points = 0.0, owned = 0.0;
  for (int b = 0; b < run.shape.batches; ++b) {
    const Range range = batches.block(b);
    const Index points =
        std::accumulate(clouds.points.begin() + range.begin, clouds.points.begin() + range.end, Index{0});
    owned_points = std::max(owned_points, static_cast<Real>(points));
    owned = std::max(owned, static_cast<Real>(range.size()));
  }
  constexpr Real bytes_per_value = sizeof(Real);
  const auto arrays = [&](const std::string& name, Real values) {
    return PlannedArrays{name, bytes_per_value * values};
  };
  const auto dimension = static_cast<Real>(clouds.dimension), n = static_cast<Real>(clouds.wanted);
  const Real parts = static_cast<Real>(run.shape.rows), later_solves = run.rows * run.parts > 1 ? 1.0 : 0.0;
  // coordinates, order, weights; one more copy of the weights for each solve
  plan.arrays.push_back(arrays("clouds of the measures, whole", owned_points * (dimension + 2.0 + later_solves)));
  plan.arrays.push_back(arrays("potentials of the measures", (owned_points + owned * n) / parts));
  // start, moved and its work array, result; image, way and momentum
  plan.arrays.push_back(arrays("points of the barycenter", n * dimension * (4.0 + 3.5 / parts)));
  plan.arrays.push_back(arrays("barycenters of the rows of weights before",
                               static_cast<Real>(run.rows - 1) * (n * dimension + (owned_points + owned * n) / parts)));
  plan.terms_per_sweep *= owned + (settings.debiased ? 1.0 : 0.0);
  return plan;
}

}  // namespace hpot
