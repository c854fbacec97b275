#include "hpot/cost/cost.hpp"

namespace hpot {
namespace {

const char* const matrix = "matrix";
const char* const geodesic = "geodesic";

struct Entry {
  const char* name;
  Cost (*make)(Real p);
};

const Entry table[] = {
    {"squared_euclidean", [](Real) -> Cost { return SquaredEuclidean{}; }},
    {"power_axes", [](Real p) -> Cost { return PowerAxes{p}; }},
    {"euclidean", [](Real) -> Cost { return Euclidean{}; }},
    {"power", [](Real p) -> Cost { return Power{p}; }},
    {"cosine", [](Real) -> Cost { return Cosine{}; }},
};

}  // namespace

bool is_separable(const Cost& cost) {
  return std::visit([](const auto& c) { return c.separable; }, cost);
}

bool has_positive_kernel(const Cost& cost) {
  if (const auto* axes = std::get_if<PowerAxes>(&cost)) return axes->p <= 2.0;
  if (const auto* power = std::get_if<Power>(&cost)) return power->p <= 2.0;
  return true;
}

std::string name(const Cost& cost) { return table[cost.index()].name; }

std::vector<OptionKey> cost_keys() {
  std::vector<std::string> names;
  for (const Entry& entry : table) names.emplace_back(entry.name);
  names.emplace_back(matrix);
  names.emplace_back(geodesic);
  return {
      {"cost.type", "squared_euclidean",
       "squared_euclidean |x-y|^2; power_axes sum_d |x_d-y_d|^p; euclidean |x-y|; power |x-y|^p. "
       "The first two are fast on grids. In the unit of the grid's spacing (mm for brain volumes). cosine "
       "1 - x.y/(|x| |y|), of clouds. matrix: as cost.matrix says. geodesic: the squared length of the "
       "shortest way along a surface (input.mesh)",
       check::one_of(names)},
      {"cost.p", "2", "exponent of power_axes (>= 1) and power (> 0)", check::positive()},
      {"cost.radius", "none",
       "cost.type = geodesic: pairs farther apart than this have no cost, and no mass goes between them; none: all "
       "pairs",
       check::word_or({"none"}, check::positive())},
      {"cost.matrix", "none",
       "cost.type = matrix: a matrix of costs >= 0, a row for every source entry, a column for every target entry (of "
       "coordinates and dictionaries square: a row for every entry of the barycenter): .npy, FILE.h5:/dataset, .csv or "
       "synthetic:words?... (or vocabulary)",
       check::text()},
      {"cost.storage", "auto",
       "of a cost matrix: double, or float, which rounds the costs and takes half the memory; auto: float where "
       "epsilon.unit = max_cost and that moves a plan by less than a tenth of stopping.tolerance, 2^-24 <= 0.1 "
       "tolerance epsilon.target (barycenters, coordinates and dictionaries: double). Values are of the costs as "
       "kept, lower_cost and upper_cost bound those of the costs given",
       check::one_of({"auto", "double", "float"})},
  };
}

std::string cost_matrix_file(const Options& options) {
  const std::string& file = options.text("cost.matrix");
  const bool wanted = options.text("cost.type") == matrix;
  if (wanted && file == "none") options.reject("cost.matrix", "cost.type = matrix needs one", "name its file");
  if (!wanted && file != "none")
    options.reject("cost.matrix", "cost.type = " + options.text("cost.type") + " has no matrix",
                   "set cost.type = matrix");
  return wanted ? file : "";
}

bool is_geodesic(const Options& options) { return options.text("cost.type") == geodesic; }

Real geodesic_radius(const Options& options) {
  if (options.text("cost.radius") == "none") return infinity;
  if (!is_geodesic(options))
    options.reject("cost.radius", "cost.type = " + options.text("cost.type") + " has none", "set cost.type = geodesic");
  return options.real("cost.radius");
}

Cost make_cost(const Options& options) {
  if (options.text("cost.type") == matrix || is_geodesic(options)) return SquaredEuclidean{};
  const Real p = options.real("cost.p");
  for (const Entry& entry : table) {
    if (options.text("cost.type") != entry.name) continue;
    const Cost cost = entry.make(p);
    if (std::holds_alternative<PowerAxes>(cost) && p < 1.0) {
      options.reject("cost.p", "power_axes is convex along an axis only for p >= 1",
                     "use cost.type = power for smaller p");
    }
    return cost;
  }
  options.reject("cost.type", "unknown cost");
}

}  // namespace hpot
