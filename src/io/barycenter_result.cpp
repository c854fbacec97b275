#include "hpot/io/barycenter_result.hpp"

#include "hpot/core/field.hpp"
#include "hpot/io/free_support_result.hpp"
#include "hpot/io/map_files.hpp"

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

/// Columns of a sheet of maps that are not wide themselves.
int columns_of(const std::vector<Raster>& rasters) {
  return static_cast<int>(std::ceil(std::sqrt(static_cast<Real>(rasters.size()))));
}

/// The maps in their group, and a sheet of them. Collective.
void write_set(const Communicator& world, const OutputOptions& output, const std::string& group, Hdf5Writer* file,
               const Support& support, MapSet set) {
  const std::string picture = picture_path(output.picture, group);
  const std::string sheet = set.suffix.empty() ? picture : beside(picture, set.suffix + ".png");
  set.dataset = group + "/" + set.dataset;
  set.suffix = (group.empty() ? "" : "_" + group.substr(1)) + set.suffix;
  const std::vector<Raster> rasters = write_maps(world, output, file, support, set);
  world.agree([&] { write_sheet(sheet, support, rasters, columns_of(rasters)); });
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
                       const std::vector<std::vector<Real>>& lambdas, const std::vector<BarycenterSolution>& solutions,
                       const Companions& companions) {
  const Communicator& world = processes.world();
  const bool free = support.grid() == nullptr && support.mesh() == nullptr;
  const Index rows = static_cast<Index>(lambdas.size());
  std::vector<std::vector<Real>> weights;  // of free supports
  if (free) {
    weights = write_of_clouds(world, group, file, solutions);
  } else {
    std::vector<ConstField> barycenters;
    for (const BarycenterSolution& solution : solutions) barycenters.emplace_back(solution.result.barycenter);
    const OwnedRows& owned = solutions[0].rows;
    write_set(world, output, group, file, support, {"barycenter", "", owned, barycenters});
    write_set(world, output, group, file, support, {"euclidean_mean", "_euclidean_mean", owned, companions.means});
    write_set(world, output, group, file, support, {"measures", "_measures", owned, companions.measures});
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
      if (!output.picture.empty()) {
        const std::vector<Raster> rasters = pictures_of_free_supports(solutions, weights);
        write_sheet(picture_path(output.picture, group), support, rasters, columns_of(rasters));
      }
    }
  });
  if (free) write_free_supports(processes, group, file, run, solutions);
}

}  // namespace hpot
