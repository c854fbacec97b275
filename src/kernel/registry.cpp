#include "hpot/kernel/registry.hpp"

#include "hpot/core/error.hpp"
#include "hpot/kernel/adaptive.hpp"
#include "hpot/kernel/balanced.hpp"
#include "hpot/kernel/distributed.hpp"
#include "hpot/kernel/geodesic.hpp"
#include "hpot/kernel/lent_points.hpp"
#include "visited_columns.hpp"

#include <algorithm>
#include <cmath>
#include <sstream>
#include <utility>

namespace hpot {
namespace {

struct Geometry {
  const Cost& cost;
  const Support& source;
  const Support& target;
  const OwnedRows& source_rows;
  const OwnedRows& target_rows;
  Real window_cut;
  Index heat_steps;
  HeatSolver heat_solver;

  [[nodiscard]] const Communicator& along_rows() const { return source_rows.along_rows; }
  [[nodiscard]] std::shared_ptr<KernelOperator> distributed(std::unique_ptr<KernelOperator> local) const {
    return make_distributed_operator(std::move(local), along_rows(), source_rows.partition, target_rows.partition);
  }
};

struct Entry {
  const char* name;
  std::shared_ptr<KernelOperator> (*make)(const Geometry&);
};

bool same_axes(const Grid& a, const Grid& b) {
  const auto same_axis = [](const Axis& x, const Axis& y) {
    return x.n == y.n && x.spacing == y.spacing && x.origin == y.origin;
  };
  return std::equal(a.axes.begin(), a.axes.end(), b.axes.begin(), b.axes.end(), same_axis);
}

bool same_points(const Support& a, const Support& b) {
  if (a.grid() != nullptr && b.grid() != nullptr) return same_axes(*a.grid(), *b.grid());
  return a.cloud() != nullptr && b.cloud() != nullptr && a.cloud()->coordinates == b.cloud()->coordinates;
}

/// A cloud as the cost takes it.
PointCloud seen_by(const Cost& cost, const PointCloud& cloud) {
  return is_of_directions(cost) ? directions_of(cloud) : cloud;
}

/// Points of both sides, made once where they are the same.
std::pair<Points, Points> points_of(const Geometry& g) {
  const Points source = points_of(g.cost, g.source);
  return {source, same_points(g.source, g.target) ? source : points_of(g.cost, g.target)};
}

const Entry table[] = {
    {"separable",
     [](const Geometry& g) -> std::shared_ptr<KernelOperator> {
       const Grid& source = *g.source.grid();
       const Grid& target = *g.target.grid();
       if (source.dimension() > 1 && g.along_rows().size() > 1)
         return make_slab_operator(g.cost, source, target, g.source_rows, g.target_rows, g.window_cut);
       return g.distributed(
           make_separable_operator(g.cost, source, target, g.source_rows.range(), g.target_rows.range(), g.window_cut));
     }},
    {"dense",
     [](const Geometry& g) {
       const auto [source, target] = points_of(g);
       return g.distributed(
           make_dense_operator(g.cost, source, target, g.source_rows.range(), g.target_rows.range(), g.along_rows()));
     }},
    {"truncated",
     [](const Geometry& g) {
       const LentPoints source = lend_points(g.cost, g.source);
       const LentPoints target = same_points(g.source, g.target) ? source : lend_points(g.cost, g.target);
       return g.distributed(
           make_balanced_operator(make_truncated_operator(g.cost, source.points, target.points, g.source_rows.range(),
                                                          g.target_rows.range(), g.window_cut),
                                  g.along_rows(), g.source_rows.partition, g.target_rows.partition));
     }},
    {"adaptive",
     [](const Geometry& g) {
       const auto [source, target] = points_of(g);
       return g.distributed(make_adaptive_operator(g.cost, source, target, g.source_rows.range(), g.target_rows.range(),
                                                   g.window_cut, g.along_rows()));
     }},
    {"stored",
     [](const Geometry& g) {
       const auto [source, target] = points_of(g);
       return make_matrix_operator(make_cost_matrix(g.cost, source, target, g.source_rows), g.source_rows,
                                   g.target_rows);
     }},
    {"heat",
     [](const Geometry& g) {
       return g.distributed(make_heat_operator(*g.source.mesh(), g.heat_steps, g.heat_solver, g.source_rows.range(),
                                               g.target_rows.range()));
     }},
};

}  // namespace

std::vector<OptionKey> KernelOptions::keys() {
  std::vector<OptionKey> keys = cost_keys();
  std::vector<std::string> names{"auto"};
  for (const Entry& entry : table) names.emplace_back(entry.name);
  keys.push_back(
      {"kernel.type", "auto",
       "separable: axis by axis, fast, for squared_euclidean and power_axes; dense: any cost, computed on the fly; "
       "truncated: any cost in up to three dimensions, on the fly, near pairs only; adaptive: dense or truncated, at "
       "each eps the one that visits fewer pairs; stored: any cost, kept as a matrix; heat: on a surface, implicit "
       "steps "
       "of the heat equation in place of a geodesic cost; "
       "auto: separable where the cost allows, else in up to three dimensions adaptive, from 16384 points truncated, "
       "else dense",
       check::one_of(names)});
  keys.push_back({"kernel.heat_steps", std::to_string(default_heat_steps),
                  "of kernel.type = heat: implicit steps; the cost grows like the squared distance up to about "
                  "sqrt(steps * eps), and more slowly beyond",
                  check::integer(1, 10000)});
  keys.push_back(
      {"kernel.heat_solver", "auto",
       "of kernel.type = heat: factor, a sparse factor on the processor; iterations, which run on GPUs, too; "
       "auto: factor where kernels run on the processor",
       check::one_of({"auto", "factor", "iterations"})});
  keys.push_back({"kernel.window_cut", "1e-15",
                  "fraction of a sum that may be left out, for speed; separable: along an axis (in mixed precision "
                  "1e-10 at least); "
                  "truncated: in all (1e-12, in mixed precision 1e-7, at least); 0: every term",
                  check::real(0.0, 1e-3)});
  return keys;
}

std::string KernelOptions::resolved_type(const Support& support) const {
  if (explicit_cost() || is_geodesic()) return "stored";
  if (type != "auto") return type;
  if (support.grid() != nullptr && is_separable(cost)) return "separable";
  constexpr Index most_dense_points = 16383;  // more take a visit to all pairs a second, and its sums megabytes
  if (support.dimension() < 1 || support.dimension() > truncated_most_dimensions) return "dense";
  return support.points() > most_dense_points ? "truncated" : "adaptive";
}

void KernelOptions::check(const Support& support, const std::string& measure) const {
  const std::string asked = is_heat() ? "kernel.type = heat" : "cost.type = geodesic";
  require(!along_surface || support.mesh() != nullptr, asked, "it goes along a surface",
          "name one in input.mesh, or take another cost and kernel");
  require(along_surface || support.mesh() == nullptr, "cost.type = " + hpot::name(cost),
          "measures on a surface go along it", "set kernel.type = heat, or cost.type = geodesic");
  if (support.mesh() != nullptr) return;
  if (is_of_directions(cost)) {
    const std::string key = "cost.type = " + hpot::name(cost);
    require(support.cloud() != nullptr, measure, key + " is between the directions of points, and these are a grid's",
            "give clouds of points, or use another cost");
    const PointCloud& cloud = *support.cloud();
    for (Index p = 0; p < cloud.points(); ++p) {
      bool zero = true;
      for (int d = 0; d < cloud.dimension; ++d) zero = zero && cloud.at(p, d) == 0.0;
      const Index given = cloud.order == nullptr ? p : (*cloud.order)[p];
      require(!zero, measure,
              "point " + std::to_string(given) + " (from 0) lies at the origin: it has no direction, which " + key +
                  " needs",
              "leave it out, or use another cost");
    }
  }
  if ((type == "truncated" || type == "adaptive") && support.dimension() > truncated_most_dimensions) {
    throw InputError(error_text({}, "kernel.type", type,
                                "in " + std::to_string(support.dimension()) + " dimensions boxes hold too little",
                                "use auto, dense or stored"));
  }
  if (type != "separable" || support.grid() != nullptr) return;
  throw InputError(error_text({}, "kernel.type", type, "clouds of points have no axes to go along",
                              "use auto, dense, truncated, adaptive or stored"));
}

KernelOptions KernelOptions::from(const Options& options) {
  KernelOptions result{options.text("kernel.type"), make_cost(options), options.real("kernel.window_cut"),
                       options.text("cost.storage") == "float", cost_matrix_file(options)};
  result.radius = geodesic_radius(options);
  result.along_surface = hpot::is_geodesic(options) || result.is_heat();
  result.heat_steps = options.integer("kernel.heat_steps");
  if (const std::string& solver = options.text("kernel.heat_solver"); solver != "auto")
    result.heat_solver = solver == "factor" ? HeatSolver::factor : HeatSolver::iterations;
  if (result.is_heat() && options.given("cost.type") && !hpot::is_geodesic(options))
    options.reject("kernel.type", "heat stands for geodesic costs, and cost.type = " + options.text("cost.type"),
                   "leave cost.type out, or take another kernel");
  if (result.is_heat() && options.given("cost.radius"))
    options.reject("cost.radius", "heat goes everywhere", "leave it out, or set kernel.type = auto");
  if (result.is_geodesic() && result.type != "auto" && result.type != "stored")
    options.reject("kernel.type", "geodesic costs are kept as they are", "use auto or stored, or heat in their place");
  if (result.explicit_cost() && result.type != "auto" && result.type != "stored")
    options.reject("kernel.type", "a cost matrix is kept as it is", "use auto or stored");
  if (result.type == "separable" && !is_separable(result.cost)) {
    options.reject("kernel.type", "cost.type = " + name(result.cost) + " does not separate over axes",
                   "use dense or stored");
  }
  return result;
}

void KernelOptions::make_costs(const Support& support, const OwnedRows& rows) {
  if (!is_geodesic() || near != nullptr || matrix != nullptr) return;
  if (radius < infinity) {
    near = make_near_costs(*support.mesh(), radius, rows);
  } else {
    matrix = make_geodesic_matrix(*support.mesh(), short_storage, rows);
  }
}

std::shared_ptr<KernelOperator> make_kernel(const KernelOptions& options, const Support& source_support,
                                            const OwnedRows& source, const Support& target_support,
                                            const OwnedRows& target) {
  const Geometry geometry{options.cost, source_support,     target_support,     source,
                          target,       options.window_cut, options.heat_steps, options.heat_solver};
  if (options.is_geodesic()) {
    KernelOptions made = options;
    made.make_costs(source_support, source);  // nothing where they are there
    if (made.near == nullptr) return make_matrix_operator(made.matrix, source, target);
    return geometry.distributed(make_near_operator(made.near));
  }
  if (options.explicit_cost()) return make_matrix_operator(options.matrix, source, target);
  const bool fewer = source_support.points() <= target_support.points();
  const std::string type = options.resolved_type(fewer ? source_support : target_support);
  for (const Entry& entry : table) {
    if (type == entry.name) return entry.make(geometry);
  }
  throw std::logic_error("make_kernel: unknown type " + options.type);
}

Points points_of(const Cost& cost, const Support& support) {
  if (support.grid() != nullptr) return grid_points(*support.grid());
  const PointCloud cloud = seen_by(cost, *support.cloud());
  const Points points(Kokkos::view_alloc("hpot::points_of", Kokkos::WithoutInitializing), cloud.points(),
                      cloud.dimension);
  const Kokkos::View<const Real**, Kokkos::LayoutRight, Kokkos::HostSpace, Kokkos::MemoryUnmanaged> given(
      cloud.coordinates->data(), cloud.points(), cloud.dimension);
  Kokkos::deep_copy(points, given);
  return points;
}

void check_epsilon(const KernelOptions& options, const Support& support, Real epsilon) {
  if (!options.is_heat()) return;
  const Real least = heat_floor(*support.mesh(), options.heat_steps);
  if (epsilon >= least * (1.0 - 1e-12)) return;
  const Real spacing = support.mesh()->mean_edge;
  const auto text = [](Real number) {
    std::ostringstream stream;
    stream << number;
    return stream.str();
  };
  throw InputError(
      error_text({}, "epsilon.target", text(epsilon) + " in the unit of the cost",
                 "heat of so short a time is noise on this surface: " + std::to_string(options.heat_steps) +
                     " steps need eps >= " + text(least) + ", and the mean edge squared is " + text(spacing * spacing),
                 "raise it to " + text(std::ceil(100.0 * least / (spacing * spacing)) / 100.0) +
                     " of epsilon.unit = spacing2, or set kernel.type = auto and cost.type = geodesic"));
}

Real neighbour_cost(const Cost& cost, const Support& support) {
  if (support.mesh() != nullptr) return std::pow(support.mesh()->mean_edge, 2);
  if (support.dimension() == 0) return 0.0;
  const Real spacing =
      support.grid() != nullptr ? support.grid()->smallest_spacing() : typical_spacing(seen_by(cost, *support.cloud()));
  return std::visit([&](const auto& c) { return c.of_sum(c.along_axis(spacing)); }, cost);
}

Real finer_below(const Cost& cost, const Support& source, const Support& target, Real neighbours) {
  constexpr Real hardly_more = 1.35, at_most = 2.0;
  constexpr Index enough_pairs = 256;  // else chance has a part in it
  if (source.cloud() == nullptr || target.cloud() == nullptr || !(neighbours > 0.0)) return neighbours;
  const auto columns = [&](const Support& support) {
    const PointCloud cloud = seen_by(cost, *support.cloud());
    return VisitedColumns(cost, cloud.coordinates->data(), cloud.points(), cloud.dimension);
  };
  const VisitedColumns of_source = columns(source), of_target = columns(target);
  const auto reach_at = [](Real epsilon) { return -epsilon * std::log(truncated_cut_mixed); };
  const Real least = reach_at(neighbours);
  if (std::min(of_source.sampled_within(least), of_target.sampled_within(least)) < enough_pairs) return neighbours;
  const auto pairs = [&](Real epsilon) {
    const Real reach = reach_at(epsilon);
    return of_source.count() * of_target.within(reach) + of_target.count() * of_source.within(reach);
  };
  const Real all = 2.0 * of_source.count() * of_target.count();
  const Real at_first = pairs(neighbours);
  Real epsilon = neighbours;
  for (Real now = at_first; now < all;) {
    const Real next = pairs(2.0 * epsilon);
    if (next > hardly_more * now || next > at_most * at_first || !std::isfinite(reach_at(4.0 * epsilon))) break;
    epsilon *= 2.0;
    now = next;
  }
  return epsilon;
}

}  // namespace hpot
