#include "plan_sizes.hpp"

#include "hpot/kernel/geodesic.hpp"
#include "hpot/kernel/separable.hpp"
#include "hpot/measure/pyramid.hpp"

#include <algorithm>
#include <cmath>

namespace hpot {
namespace {

/// What operators on a surface keep: the stiffness, the factor and, while it is made, its matrix (heat.cpp); costs of pairs, a
/// matrix of all or rows of near ones (geodesic.cpp).
Real surface_values(const KernelOptions& kernel, const Mesh& mesh, Real batch_values, Real local_n) {
  constexpr Real of_entry = 2.0, stiffness = 27.0, matrix = 60.0, of_thread = 1.0;
  const Real of_map =
      kernel.heat_solver == HeatSolver::factor ? 2.0 : 5.0;  // sums and moments; iterates, a negative part
  const auto n = static_cast<Real>(mesh.points());
  if (kernel.is_heat()) {
    const auto threads = static_cast<Real>(ExecutionSpace{}.concurrency());
    return of_entry * heat_factor_entries(mesh.points()) + (stiffness + matrix + of_thread * threads) * n +
           of_map * n * std::max(1.0, batch_values / local_n);
  }
  if (kernel.radius == infinity) return local_n * n * (kernel.short_storage ? 0.5 : 1.0) + 6.0 * n;
  constexpr Real of_pair = 1.5;
  return of_pair * local_n * near_pairs(mesh, kernel.radius);
}

Real largest_share(const Support& support, int parts) {
  return static_cast<Real>(divide_rows(support, parts).block(0).size());
}

}  // namespace

Sizes sizes_of(const Support& support, const ScheduleOptions& schedule, int parts) {
  Sizes sizes{static_cast<Real>(support.points()), largest_share(support, parts), 0.0, 0.0};
  if (support.grid() != nullptr) {
    const std::vector<Grid> levels = make_levels(*support.grid(), schedule.coarsest_side());
    for (std::size_t l = 1; l < levels.size(); ++l) sizes.coarse += static_cast<Real>(levels[l].points());
    if (levels.size() > 1) sizes.next = largest_share(levels[1], parts);
  } else if (count_levels(support, schedule.coarsest_side()) > 1) {
    const Real run = std::exp2(support.dimension());
    sizes.coarse = sizes.n / (run - 1.0);
    sizes.next = sizes.local_n / run;
  }
  return sizes;
}

Sizes mean_sizes(const TransportRun& run, const ScheduleOptions& schedule) {
  const Sizes a = sizes_of(run.source, schedule, run.ranks);
  const Sizes b = sizes_of(run.target, schedule, run.ranks);
  return {0.5 * (a.n + b.n), 0.5 * (a.local_n + b.local_n), 0.5 * (a.coarse + b.coarse), 0.5 * (a.next + b.next)};
}

PlannedArrays arrays(const std::string& name, Real values) { return {name, sizeof(Real) * values}; }

PlannedArrays library_buffers() { return {"libraries and their buffers", 8.0 * 0x1p20}; }

Real matrix_values(const KernelOptions& kernel, Real n, Real local_n) {
  return kernel.explicit_cost() ? local_n * n * (kernel.short_storage ? 0.5 : 1.0) : 0.0;
}

Real values_of_reading(const KernelOptions& kernel, Real n, Real local_n) {
  return kernel.explicit_cost() ? std::min(local_n * n, static_cast<Real>(values_read_at_once)) : 0.0;
}

Real held_points(const Support& support, Real n, Real local_n) { return support.grid() != nullptr ? local_n : n; }

Real kernel_values(const KernelOptions& kernel, const Support& support, Real batch_values, Real n, Real local_n) {
  if (const Mesh* mesh = support.mesh(); mesh != nullptr) return surface_values(kernel, *mesh, batch_values, local_n);
  if (kernel.explicit_cost())
    return matrix_values(kernel, n, local_n) + 6.0 * n * std::max(1.0, batch_values / local_n);
  const bool cloud = support.cloud() != nullptr;
  const std::string type = kernel.resolved_type(support);
  if (type == "separable") return support.dimension() == 2 ? batch_values : 0.0;
  const Real points = (cloud ? 2.0 : 1.0) * n * static_cast<Real>(support.dimension());
  if (type == "truncated" ||
      type == "adaptive") {  // truncated_clouds.hpp: places and orders; coordinates and boxes; h and values
    const int axes = std::holds_alternative<SquaredEuclidean>(kernel.cost) ? support.dimension() : 3;
    const Real rows = type == "truncated" ? std::min(2.0 * local_n, n) : local_n;  // balanced.hpp
    return 2.0 * rows + (rows > local_n ? rows : 0.0) + (cloud ? 2.0 : 1.0) * n * (axes + 0.9) + 2.0 * n +
           (type == "adaptive" ? points : 0.0);
  }
  return type == "stored" ? local_n * n + 6.0 * n : points;
}

Real terms_of_softmin(const KernelOptions& kernel, const Support& support, Real n, Real local_n) {
  if (const Mesh* mesh = support.mesh(); mesh != nullptr && kernel.is_heat())
    return 2.0 * static_cast<Real>(kernel.heat_steps) * heat_factor_entries(mesh->points());
  if (const Mesh* mesh = support.mesh(); mesh != nullptr) return local_n * near_pairs(*mesh, kernel.radius);
  const std::string type = kernel.resolved_type(support);
  constexpr Real near_terms[] = {0.0, 200.0, 1000.0, 6000.0};  // at eps of some squared spacings, by dimension
  if (type == "truncated" || type == "adaptive")
    return local_n * std::min(n, near_terms[std::clamp(support.dimension(), 0, 3)]);
  if (type != "separable") return local_n * n;
  Real sides = 0.0;
  for (const Axis& axis : support.grid()->axes) sides += static_cast<Real>(axis.n);
  return local_n * sides;
}

Real average_values(const KernelOptions& kernel, const Support& support, Real local_n, Real share) {
  if (kernel.resolved_type(support) != "separable") return 0.0;
  return static_cast<Real>(support.dimension()) * share * local_n;
}

Real search_values(const KernelOptions& kernel, const Support& support, Real local_n) {
  constexpr Real of_pair = 2.0;
  return kernel.is_geodesic() ? of_pair * local_n * near_pairs(*support.mesh(), kernel.radius) : 0.0;
}

Real geometry_values(const Support& support) {
  constexpr Real of_vertex = 12.0;
  return support.mesh() == nullptr ? 0.0 : of_vertex * static_cast<Real>(support.points());
}

PlannedArrays base_of(const Support& support) {
  PlannedArrays base = library_buffers();
  base.bytes += arrays({}, geometry_values(support)).bytes;
  if (support.mesh() != nullptr) base.name += ", the surface";
  return base;
}

PlannedArrays surface_maps(const Support& support, Real maps) {
  constexpr Real of_map = 3.0;  // gathered, in the files' order, in a dataset
  const auto n = static_cast<Real>(support.points());
  return arrays("maps of a surface, whole, on rank 0", support.mesh() == nullptr ? 0.0 : of_map * maps * n);
}

Real visit_values(const KernelOptions& kernel, const Support& support, Real n, Real local_n) {
  const std::string type = kernel.resolved_type(support);
  if (type != "dense" && type != "stored" && type != "adaptive") return 0.0;
  return values_of_visit(static_cast<Index>(local_n), static_cast<Index>(n));
}

PlannedArrays between_ranks(const KernelOptions& kernel, const Support& support, int ranks, Reduction reduction,
                            Real share) {
  const bool two = reduction == Reduction::average;
  const bool slabs = kernel.resolved_type(support) == "separable" && support.dimension() > 1;
  if (ranks == 1) return arrays("values of other ranks", 0.0);
  if (slabs) return arrays("lines between ranks", values_between(*support.grid(), ranks, two ? 2 : 1));
  return arrays("gathered values", (two ? 2.0 : 1.0) * share * static_cast<Real>(support.points()));
}

}  // namespace hpot
