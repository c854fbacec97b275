#include "hpot/io/barycenter_result.hpp"

#include "hpot/io/free_support_result.hpp"
#include "hpot/io/gifti.hpp"
#include "hpot/io/nifti.hpp"
#include "hpot/io/surface_picture.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
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
  std::printf(" (error floor %.1e)\n", errors.floor);
  if (solution.free.points.coordinates != nullptr)
    std::printf("  of the points: objective %.12g (gap %.3g), movement %.3g\n", solution.free.objective,
                solution.free.gap, solution.free.movement);
  std::fputs(advice(outcome, stopping, solution.target_epsilon, errors.floor).c_str(), stderr);
}

void write_barycenters(const ProcessGrid& processes, const OutputOptions& output, const std::string& group,
                       Hdf5Writer* file, const Support& support, const RunRecord& run,
                       const std::vector<std::vector<Real>>& lambdas,
                       const std::vector<BarycenterSolution>& solutions) {
  const Communicator& world = processes.world();
  const Grid* const grid = support.grid();
  const Mesh* const mesh = support.mesh();
  const bool free = grid == nullptr && mesh == nullptr;
  const Index rows = static_cast<Index>(lambdas.size());
  const Index points = mesh != nullptr ? mesh->given : solutions[0].rows.partition.global_n();
  Array values{data_shape(free ? Support(solutions[0].free.points) : support, rows), {}};
  if (rows > 1 && world.rank() == 0) values.values.reserve(rows * points);
  for (const auto& solution : solutions) {
    std::vector<Real> row = gather_points(solution.rows, solution.result.barycenter);
    row = free ? in_input_order(solution.free.points, row) : in_input_order(support, std::move(row));
    if (rows == 1) {
      values.values = std::move(row);
    } else {
      values.values.insert(values.values.end(), row.begin(), row.end());
    }
  }
  world.agree([&] {
    if (world.rank() != 0) return;
    const std::string root = group.empty() ? "/" : group;
    const BarycenterSolution& shown = worst(solutions);
    write_run(*file, group, world, run, shown.outcome);
    write_known(*file, root, "marginal_error", shown.outcome.error);
    write_known(*file, root, "marginal_error_max", largest(shown.result.errors.marginal));
    if (shown.debiased) write_known(*file, root, "self_transport_error", shown.result.errors.self_transport);
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
    std::vector<Raster> rasters;
    std::vector<std::vector<Real>> weights;  // of free supports
    std::vector<Real> one;
    for (Index r = 0; r < rows; ++r) {
      lambda.values.insert(lambda.values.end(), lambdas[r].begin(), lambdas[r].end());
      const std::vector<Real>& errors_of_row = solutions[r].result.errors.marginal;
      marginal_errors.values.insert(marginal_errors.values.end(), errors_of_row.begin(), errors_of_row.end());
      const auto first = values.values.begin() + r * points;
      if (rows > 1) one.assign(first, first + points);
      const std::vector<Real>& barycenter = rows > 1 ? one : values.values;
      if (free) {
        weights.push_back(barycenter);
        continue;
      }
      if (!output.picture.empty())
        rasters.push_back(mesh != nullptr ? picture_of(*mesh, kept_values(*mesh, barycenter))
                                          : picture_of(*grid, barycenter));
      const std::string number = rows == 1 ? "" : "_" + std::to_string(r + 1);
      const std::string name = (group.empty() ? "" : "_" + group.substr(1)) + number;
      if (mesh != nullptr) {
        const std::string map = beside(output.file, name + ".func.gii");
        write_gifti_map(map, barycenter);
        std::printf("map: %s\n", map.c_str());
      } else if (grid->affine) {
        const std::string volume = beside(output.file, name + ".nii.gz");
        write_nifti(volume, *grid, barycenter);
        std::printf("volume: %s\n", volume.c_str());
      }
    }
    file->dataset(group + "/weights", lambda);
    if (std::isfinite(largest(marginal_errors.values))) file->dataset(group + "/marginal_errors", marginal_errors);
    file->dataset(group + "/barycenter", values);
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
