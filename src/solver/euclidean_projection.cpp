#include "hpot/solver/euclidean_projection.hpp"

#include "hpot/core/field.hpp"
#include "hpot/problem/map_distance.hpp"
#include "hpot/problem/sweep_adjoint.hpp"
#include "hpot/solver/simplex_descent.hpp"

#include <numeric>

namespace hpot {

EuclideanProjection project_euclidean(const OwnedRows& rows, const Reference& q, const Communicator& along_batches,
                                      const Field& measures, const Field& target) {
  constexpr Real tolerance = 1e-12;  // of the gap, relative to sum t^2
  constexpr Index memory = 20;
  constexpr Index most_steps = 10000;
  const OwnedBatch batch(along_batches, static_cast<Index>(measures.extent(0)));
  const auto count = static_cast<std::size_t>(batch.count());
  const Field map = make_field("hpot::project_euclidean", 1, rows.local_n());
  const auto mix = [&](const std::vector<Real>& lambda) {
    sum_entries(batch.part_of(lambda), measures, map);
    along_batches.sum(map);
  };
  std::vector<std::vector<Real>> products;  // B, row by row
  for (std::size_t l = 0; l < count; ++l) {
    std::vector<Real> unit(count, 0.0);
    unit[l] = 1.0;
    mix(unit);
    divide_by_reference(q, map);
    products.push_back(batch.of_all(common_dots(rows, map, measures)));
  }
  Kokkos::deep_copy(map, target);
  divide_by_reference(q, map);
  const std::vector<Real> with_target = batch.of_all(common_dots(rows, map, measures));
  const Real square = sum_of_squares(rows, q, target);

  EuclideanProjection projection;
  Index steps = 0;
  SimplexFunction distance;
  distance.evaluate = [&](const std::vector<Real>& lambda, std::vector<Real>& gradient) {
    Real value = 0.5 * square;
    for (std::size_t k = 0; k < count; ++k) {
      const Real product = std::inner_product(lambda.begin(), lambda.end(), products[k].begin(), 0.0);
      gradient[k] = product - with_target[k];
      value += lambda[k] * (0.5 * product - with_target[k]);
    }
    return value;
  };
  distance.accept = [&](const SimplexPoint& point) {
    projection.lambda = point.lambda;
    return point.gap <= tolerance * square || ++steps > most_steps;
  };
  minimise_on_simplex(distance, memory, std::vector<Real>(count, 1.0 / static_cast<Real>(count)));
  mix(projection.lambda);
  projection.map = map;
  return projection;
}

}  // namespace hpot
