#include "hpot/io/barycenter_result.hpp"

#include "hpot/core/field.hpp"
#include "hpot/io/free_support_result.hpp"
#include "hpot/io/gifti.hpp"
#include "hpot/io/surface_picture.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <memory>
#include <utility>

namespace hpot {
namespace {

/// A part is reported as its worst row.
const BarycenterSolution& worst(const std::vector<BarycenterSolution>& solutions) {
  const auto by_error = [](const auto& x, const auto& y) {
    const bool x_failed = x.outcome.reason != StopReason::converged;
    const bool y_failed = y.outcome.reason != StopReason::converged;
    return x_failed != y_failed ? y_failed : x.outcome.error < y.outcome.error;
  };
  return *std::max_element(solutions.begin(), solutions.end(), by_error);
}

Real largest(const std::vector<Real>& errors) { return *std::max_element(errors.begin(), errors.end()); }

}  // namespace

void print_barycenter(const std::string& group, std::size_t row, std::size_t rows, const StoppingOptions& stopping,
                      const BarycenterSolution& solution) {
  const Outcome& outcome = solution.outcome;
  std::string label = group.empty() ? "" : group.substr(1) + ": ";
  if (rows > 1) label += "row " + std::to_string(row + 1) + " of " + std::to_string(rows) + ": ";
  const BarycenterErrors& errors = solution.result.errors;
  std::printf("%s%s after %lld sweeps, %.2f s, at epsilon %.6g: marginal error %.3g\n", label.c_str(),
              name(outcome.reason), static_cast<long long>(outcome.iterations), outcome.seconds, outcome.epsilon,
              outcome.error);
  std::printf("  of the result: mass %.6g, marginals %.3g at most", solution.result.mass, largest(errors.marginal));
  if (solution.debiased) std::printf(", self-transport %.3g", errors.self_transport);
  if (solution.result.variation.total > 0.0) std::printf(", variation's prox %.3g", errors.variation);
  std::printf(" (error floor %.1e)\n", errors.floor);
  const EntropyReport& entropy = solution.result.entropy;
  if (entropy.exponent > 0.0)
    std::printf("  of its sharpness: entropy %.9g (bound %.9g), exponent %.6g\n", entropy.entropy, entropy.bound,
                entropy.exponent);
  if (solution.free.points.coordinates != nullptr)
    std::printf("  of the points: objective %.12g (gap %.3g), movement %.3g\n", solution.free.objective,
                solution.free.gap, solution.free.movement);
  std::fputs(advice(outcome, stopping, solution.target_epsilon, errors.floor).c_str(), stderr);
}

namespace {

/// One picture for each row of weights, on rank 0. Collective.
std::vector<Raster> write_on_grid(const Communicator& world, const OutputOptions& output, const std::string& group,
                                  Hdf5Writer* file, const Grid& grid,
                                  const std::vector<BarycenterSolution>& solutions) {
  const auto rows = static_cast<Index>(solutions.size());
  const std::string name = group + "/barycenter";
  const bool pictured = !output.picture.empty();
  Index room = 0;
  world.agree([&] {
    if (world.rank() == 0) room = file->room(name, data_shape(grid, rows));
  });
  std::vector<Raster> rasters;
  for (Index r = 0; r < rows; ++r) {
    const std::string number = rows == 1 ? "" : "_" + std::to_string(r + 1);
    const std::string part = group.empty() ? "" : "_" + group.substr(1);
    const std::string volume = grid.affine ? beside(output.file, part + number + ".nii.gz") : "";
    const BarycenterSolution& solution = solutions[r];
    const Field& barycenter = solution.result.barycenter;
    const Index place = room + r * grid.points() * static_cast<Index>(sizeof(Real));
    write_owned(world, file, place, solution.rows, host_values(barycenter));
    const auto whole = write_volume(world, volume, grid, solution.rows, barycenter, pictured);
    if (pictured && world.rank() == 0) rasters.push_back(picture_of(grid, whole));
  }
  return rasters;
}

/// The same of a surface, with a GIfTI map of each row.
std::vector<Raster> write_on_surface(const Communicator& world, const OutputOptions& output, const std::string& group,
                                     Hdf5Writer* file, const Mesh& mesh,
                                     const std::vector<BarycenterSolution>& solutions) {
  const auto rows = static_cast<Index>(solutions.size());
  std::vector<std::vector<Real>> maps;
  for (const BarycenterSolution& solution : solutions)
    maps.push_back(in_input_order(mesh, gather_points(solution.rows, solution.result.barycenter)));
  std::vector<Raster> rasters;
  world.agree([&] {
    if (world.rank() != 0) return;
    Array values{data_shape(mesh, rows), {}};
    for (Index r = 0; r < rows; ++r) {
      const std::vector<Real>& map = maps[r];
      values.values.insert(values.values.end(), map.begin(), map.end());
      if (!output.picture.empty()) rasters.push_back(picture_of(mesh, kept_values(mesh, map)));
      const std::string number = rows == 1 ? "" : "_" + std::to_string(r + 1);
      const std::string path = beside(output.file, (group.empty() ? "" : "_" + group.substr(1)) + number + ".func.gii");
      write_gifti_map(path, map);
      std::printf("map: %s\n", path.c_str());
    }
    file->dataset(group + "/barycenter", values);
  });
  return rasters;
}

/// Weights of the points of every row, in the order of the input, on rank 0. Collective.
std::vector<std::vector<Real>> write_of_clouds(const Communicator& world, const std::string& group, Hdf5Writer* file,
                                               const std::vector<BarycenterSolution>& solutions) {
  std::vector<std::vector<Real>> weights;
  Array values{data_shape(solutions[0].free.points, static_cast<Index>(solutions.size())), {}};
  for (const BarycenterSolution& solution : solutions) {
    const std::vector<Real> row = gather_points(solution.rows, solution.result.barycenter);
    if (world.rank() == 0) weights.push_back(in_input_order(solution.free.points, row));
  }
  for (const auto& row : weights) values.values.insert(values.values.end(), row.begin(), row.end());
  world.agree([&] {
    if (world.rank() == 0) file->dataset(group + "/barycenter", values);
  });
  return weights;
}

}  // namespace

void write_barycenters(const ProcessGrid& processes, const OutputOptions& output, const std::string& group,
                       Hdf5Writer* file, const Support& support, const RunRecord& run,
                       const std::vector<std::vector<Real>>& lambdas,
                       const std::vector<BarycenterSolution>& solutions) {
  const Communicator& world = processes.world();
  const Grid* const grid = support.grid();
  const Mesh* const mesh = support.mesh();
  const bool free = grid == nullptr && mesh == nullptr;
  const Index rows = static_cast<Index>(lambdas.size());
  std::vector<Raster> rasters;
  std::vector<std::vector<Real>> weights;  // of free supports
  if (grid != nullptr) {
    rasters = write_on_grid(world, output, group, file, *grid, solutions);
  } else if (mesh != nullptr) {
    rasters = write_on_surface(world, output, group, file, *mesh, solutions);
  } else {
    weights = write_of_clouds(world, group, file, solutions);
  }
  world.agree([&] {
    if (world.rank() != 0) return;
    const std::string root = group.empty() ? "/" : group;
    const BarycenterSolution& shown = worst(solutions);
    write_run(*file, group, world, run, shown.outcome);
    write_known(*file, root, "marginal_error", shown.outcome.error);
    write_known(*file, root, "marginal_error_max", largest(shown.result.errors.marginal));
    if (shown.debiased) write_known(*file, root, "self_transport_error", shown.result.errors.self_transport);
    if (shown.result.entropy.exponent > 0.0) {
      write_known(*file, root, "entropy", shown.result.entropy.entropy);
      write_known(*file, root, "entropy_bound", shown.result.entropy.bound);
      write_known(*file, root, "entropy_exponent", shown.result.entropy.exponent);
    }
    if (shown.result.variation.total > 0.0) {
      write_known(*file, root, "total_variation", shown.result.variation.total);
      write_known(*file, root, "variation_gap", shown.result.variation.gap);
      write_known(*file, root, "variation_error", shown.result.errors.variation);
    }
    write_known(*file, root, "mass", shown.result.mass);
    write_known(*file, root, "error_floor", shown.result.errors.floor);
    std::vector<Real> sweeps;
    std::vector<Real> errors;
    std::vector<std::string> reasons;
    for (const auto& solution : solutions) {
      sweeps.push_back(static_cast<Real>(solution.outcome.iterations));
      errors.push_back(solution.outcome.error);
      reasons.emplace_back(name(solution.outcome.reason));
    }
    Array lambda{{rows, static_cast<Index>(lambdas[0].size())}, {}};
    Array marginal_errors = lambda;
    for (Index r = 0; r < rows; ++r) {
      lambda.values.insert(lambda.values.end(), lambdas[r].begin(), lambdas[r].end());
      const std::vector<Real>& errors_of_row = solutions[r].result.errors.marginal;
      marginal_errors.values.insert(marginal_errors.values.end(), errors_of_row.begin(), errors_of_row.end());
    }
    file->dataset(group + "/weights", lambda);
    if (std::isfinite(largest(marginal_errors.values))) file->dataset(group + "/marginal_errors", marginal_errors);
    file->attribute(group + "/weights", "iterations", sweeps);
    file->attribute(group + "/weights", "marginal_error", errors);
    file->attribute(group + "/weights", "stop_reason", reasons);
    file->dataset(group + "/history", run.history);
    if (!free) {
      write_support(*file, group + "/support", support);
    } else {
      write_known(*file, root, "objective", shown.free.objective);
      write_known(*file, root, "gap", shown.free.gap);
      write_known(*file, root, "movement", shown.free.movement);
      if (!output.picture.empty()) rasters = pictures_of_free_supports(solutions, weights);
    }
    const int columns = (grid != nullptr && grid->dimension() == 3) || mesh != nullptr
                            ? 1
                            : static_cast<int>(std::ceil(std::sqrt(static_cast<Real>(rows))));
    if (!rasters.empty()) write_png(picture_path(output.picture, group), contact_sheet(rasters, columns));
  });
  if (free) write_free_supports(processes, group, file, run, solutions);
}

}  // namespace hpot
