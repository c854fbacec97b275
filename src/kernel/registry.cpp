#include "hpot/kernel/registry.hpp"

#include "hpot/kernel/dense.hpp"
#include "hpot/kernel/distributed.hpp"

#include <algorithm>
#include <utility>

namespace hpot {
namespace {

struct Geometry {
  const Cost& cost;
  const Grid& source;
  const Grid& target;
  Range source_rows;
  Range target_rows;
  Real window_cut;
};

struct Entry {
  const char* name;
  std::unique_ptr<KernelOperator> (*make)(const Geometry&);
};

bool same_points(const Grid& a, const Grid& b) {
  const auto same_axis = [](const Axis& x, const Axis& y) {
    return x.n == y.n && x.spacing == y.spacing && x.origin == y.origin;
  };
  return std::equal(a.axes.begin(), a.axes.end(), b.axes.begin(), b.axes.end(), same_axis);
}

/// Points of both sides, made once where they are the same.
std::pair<Points, Points> points_of(const Geometry& g) {
  const Points source = grid_points(g.source);
  return {source, same_points(g.source, g.target) ? source : grid_points(g.target)};
}

const Entry table[] = {
    {"separable",
     [](const Geometry& g) {
       return make_separable_operator(g.cost, g.source, g.target, g.source_rows, g.target_rows, g.window_cut);
     }},
    {"dense",
     [](const Geometry& g) {
       const auto [source, target] = points_of(g);
       return make_dense_operator(g.cost, source, target, g.source_rows, g.target_rows);
     }},
    {"stored",
     [](const Geometry& g) {
       const auto [source, target] = points_of(g);
       return make_stored_operator(g.cost, source, target, g.source_rows, g.target_rows);
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
       "stored: any cost, kept as a matrix; auto: separable where the cost allows, else dense",
       check::one_of(names)});
  keys.push_back(
      {"kernel.window_cut", "1e-15",
       "separable: fraction of a sum along an axis that may be left out, for speed (in mixed precision 1e-10 "
       "at least); 0: every term",
       check::real(0.0, 1e-3)});
  return keys;
}

std::string KernelOptions::resolved_type() const {
  if (type != "auto") return type;
  return is_separable(cost) ? "separable" : "dense";
}

KernelOptions KernelOptions::from(const Options& options) {
  KernelOptions result{options.text("kernel.type"), make_cost(options), options.real("kernel.window_cut")};
  if (result.type == "separable" && !is_separable(result.cost)) {
    options.reject("kernel.type", "cost.type = " + name(result.cost) + " does not separate over axes",
                   "use dense or stored");
  }
  return result;
}

Partition divide_rows(const Grid& grid, int parts) {
  constexpr Index points_of_a_line = 64;
  constexpr Index rows_of_an_image = 8;  // share their windows
  const Index row = grid.points() / grid.axes[0].n;
  const Index plane = grid.dimension() == 1 ? points_of_a_line : grid.dimension() == 2 ? rows_of_an_image * row : row;
  return {grid.points(), plane, parts};
}

OwnedRows own_rows(const Grid& grid, const Communicator& along_rows) {
  return {divide_rows(grid, along_rows.size()), along_rows};
}

std::shared_ptr<KernelOperator> make_kernel(const KernelOptions& options, const Grid& source_grid,
                                            const OwnedRows& source, const Grid& target_grid, const OwnedRows& target) {
  const Geometry geometry{options.cost, source_grid, target_grid, source.range(), target.range(), options.window_cut};
  for (const Entry& entry : table) {
    if (options.resolved_type() != entry.name) continue;
    return make_distributed_operator(entry.make(geometry), source.along_rows, source.partition, target.partition);
  }
  throw std::logic_error("make_kernel: unknown type " + options.type);
}

Real neighbour_cost(const Cost& cost, const Grid& grid) {
  return std::visit([&](const auto& c) { return c.of_sum(c.along_axis(grid.smallest_spacing())); }, cost);
}

}  // namespace hpot
