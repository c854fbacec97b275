#include "hpot/io/free_support_result.hpp"

#include "hpot/io/cloud_picture.hpp"

#include <cmath>

namespace hpot {
namespace {

using Values = std::vector<Real>;

/// Potentials of all measures, one after the other, in the order of the input, on rank 0. Collective.
struct Potentials {
  Values f, g;
};
Potentials gather_potentials(const ProcessGrid& processes, const RawMeasures& raw, const BarycenterSolution& solution) {
  Potentials here;
  const auto append = [](Values& all, const Values& more) { all.insert(all.end(), more.begin(), more.end()); };
  for (std::size_t k = 0; k < solution.free.g.size(); ++k) {
    append(here.f, in_input_order(solution.free.points, gather_points(solution.rows, solution.free.f[k])));
    const OwnedRows rows = own_rows(raw.supports[k], processes.along_rows());
    append(here.g, in_input_order(raw.supports[k], gather_points(rows, solution.free.g[k])));
  }
  if (processes.along_rows().rank() != 0) return {};
  return {processes.along_batches().gather(here.f), processes.along_batches().gather(here.g)};
}

/// Points of all clouds. Collective.
std::vector<Index> sizes_of(const ProcessGrid& processes, const RawMeasures& raw) {
  Values sizes(raw.names.size(), 0.0);
  for (std::size_t k = 0; k < raw.supports.size(); ++k)
    sizes[raw.owned.begin + k] = static_cast<Real>(raw.supports[k].points());
  processes.along_batches().sum(sizes);
  return {sizes.begin(), sizes.end()};
}

bool all_finite(const Values& values) {
  for (const Real value : values) {
    if (!std::isfinite(value)) return false;
  }
  return true;
}

void write_potentials(Hdf5Writer& file, const std::string& group, const std::vector<Index>& sizes, Index points,
                      const Potentials& all) {
  auto f = all.f.begin();
  auto g = all.g.begin();
  for (std::size_t k = 0; k < sizes.size(); ++k) {
    const std::string name = group + "/" + std::to_string(k);
    file.dataset(name + "/f", {{points}, {f, f + points}});
    file.dataset(name + "/g", {{sizes[k]}, {g, g + sizes[k]}});
    f += points;
    g += sizes[k];
  }
}

constexpr std::pair<const char*, Real TransportValues::*> quantities[] = {
    {"marginal_error_source", &TransportValues::residual_source},
    {"marginal_error_target", &TransportValues::residual_target},
    {"transport_cost", &TransportValues::transport_cost},
    {"dual_cost", &TransportValues::dual_cost},
    {"primal_cost", &TransportValues::primal_cost},
    {"gap", &TransportValues::gap},
    {"lower_cost", &TransportValues::lower_cost},
    {"upper_cost", &TransportValues::upper_cost},
};

}  // namespace

void write_free_supports(const ProcessGrid& processes, const std::string& group, Hdf5Writer* file, const RunRecord& run,
                         const std::vector<BarycenterSolution>& solutions) {
  const std::vector<Index> sizes = sizes_of(processes, run.raw);
  const auto rows = static_cast<Index>(solutions.size());
  const PointCloud& first = solutions[0].free.points;
  std::vector<Index> shape;
  if (rows > 1) shape.push_back(rows);
  shape.insert(shape.end(), {first.points(), first.dimension});
  Array places{shape, {}};
  Array descent{{0, 5}, {}};
  for (Index r = 0; r < rows; ++r) {
    const FreeSupportResult& free = solutions[r].free;
    const Potentials potentials = gather_potentials(processes, run.raw, solutions[r]);
    processes.world().agree([&] {
      if (file != nullptr)
        write_potentials(*file, group + "/potentials" + (rows > 1 ? "/" + std::to_string(r) : ""), sizes,
                         free.points.points(), potentials);
    });
    const Values points = in_input_order(free.points, *free.points.coordinates, free.points.dimension);
    places.values.insert(places.values.end(), points.begin(), points.end());
    for (const DescentStep& step : free.descent)
      descent.values.insert(descent.values.end(),
                            {static_cast<Real>(r), step.sweeps, step.objective, step.movement, step.marginal_error});
  }
  descent.shape[0] = static_cast<Index>(descent.values.size()) / descent.shape[1];
  processes.world().agree([&] {
    if (file == nullptr) return;
    file->attribute(group + "/support", "type", "points");
    file->dataset(group + "/support/points", places);
    file->dataset(group + "/descent", descent);
    file->attribute(group + "/descent", "columns",
                    std::vector<std::string>{"row", "sweeps", "objective", "movement", "marginal_error"});
    for (const auto& [name, quantity] : quantities) {
      Array array{{rows, static_cast<Index>(solutions[0].free.values.size())}, {}};
      for (const auto& solution : solutions) {
        for (const TransportValues& values : solution.free.values) array.values.push_back(values.*quantity);
      }
      if (all_finite(array.values)) file->dataset(group + "/values/" + name, array);
    }
  });
}

std::vector<Raster> pictures_of_free_supports(const std::vector<BarycenterSolution>& solutions,
                                              const std::vector<Values>& weights) {
  std::vector<Support> clouds;
  for (const auto& solution : solutions) {
    PointCloud points = solution.free.points;  // whose weights stand in the order of the input
    points.coordinates = std::make_shared<const Values>(in_input_order(points, *points.coordinates, points.dimension));
    points.order = nullptr;
    clouds.emplace_back(points);
  }
  return pictures_of_clouds(clouds, weights);
}

}  // namespace hpot
