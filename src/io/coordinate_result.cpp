#include "hpot/io/coordinate_result.hpp"

#include "hpot/io/map_files.hpp"

#include <cstdio>

namespace hpot {
namespace {

/// Both projections, with the name of each.
template <class Visit>
void for_projections(const CoordinateSolution& solution, const Visit& visit) {
  visit("projection", solution.wasserstein);
  visit("euclidean", solution.euclidean);
}

void write_distances_of(Hdf5Writer& file, const std::string& object, const Projection& projection) {
  write_known(file, object, "loss", projection.loss);
  write_known(file, object, "quadratic", projection.quadratic);
  write_known(file, object, "l1", projection.l1);
  write_known(file, object, "kl", projection.kl);
}

}  // namespace

void print_coordinates(const RunRecord& run, const CoordinateSettings& settings, const CoordinateSolution& solution) {
  const Outcome& outcome = solution.outcome;
  std::printf(
      "%s after %lld steps, %lld gradients of %lld sweeps, %lld of them on coarser grids, %.2f s, at epsilon %.6g: gap "
      "%.3g of the "
      "loss of equal weights\n",
      name(outcome.reason), static_cast<long long>(outcome.iterations), static_cast<long long>(solution.evaluations),
      static_cast<long long>(settings.sweeps), static_cast<long long>(solution.coarse_evaluations), outcome.seconds,
      outcome.epsilon, outcome.error);
  std::printf("%12s %12s  %s\n", "lambda", "euclidean", "measure");
  for (std::size_t k = 0; k < run.raw.names.size(); ++k)
    std::printf("%12.6f %12.6f  %s\n", solution.wasserstein.lambda[k], solution.euclidean.lambda[k],
                run.raw.names[k].c_str());
  for_projections(solution, [&](const char* name, const Projection& projection) {
    std::printf("%s: %s loss %.6g, quadratic %.6g, l1 %.6g, kl %.6g\n", name, settings.loss.c_str(), projection.loss,
                projection.quadratic, projection.l1, projection.kl);
  });
  std::fputs(advice(solution, settings).c_str(), stderr);
}

void write_coordinates(const ProcessGrid& processes, const OutputOptions& output, Hdf5Writer* file,
                       const Support& support, const RunRecord& run, const CoordinateSettings& settings,
                       const Field& target, const CoordinateSolution& solution) {
  const Communicator& world = processes.world();
  const Index measures = static_cast<Index>(solution.euclidean.lambda.size());
  world.agree([&] {
    if (world.rank() != 0) return;
    write_run(*file, "", world, run, solution.outcome);
    file->attribute("/", "loss", settings.loss);
    write_known(*file, "/", "gap", solution.outcome.error);
    write_known(*file, "/", "equal_weights_loss", solution.equal_loss);
    file->attribute("/", "evaluations", solution.evaluations);
    file->attribute("/", "coarse_evaluations", solution.coarse_evaluations);
    file->attribute("/", "sweeps", settings.sweeps);
    file->attribute("/", "sweeps_for_a_gradient", solution.sweeps);
    const auto steps = static_cast<Index>(solution.history.loss.size());
    file->dataset("/steps/loss", {{steps}, solution.history.loss});
    file->dataset("/steps/gap", {{steps}, solution.history.gap});
    file->dataset("/steps/lambda", {{steps, measures}, solution.history.lambda});
    for_projections(solution, [&](const std::string& name, const Projection& projection) {
      file->dataset("/" + name + "/lambda", {{measures}, projection.lambda});
      write_distances_of(*file, "/" + name, projection);
    });
    write_support(*file, "/support", support);
  });
  std::vector<Raster> rasters;
  const auto write = [&](const MapSet& set) {
    for (Raster& raster : write_maps(world, output, file, support, set)) rasters.push_back(std::move(raster));
  };
  write({"/target", "", solution.rows, {target}, false});
  for_projections(solution, [&](const std::string& name, const Projection& projection) {
    if (projection.map.extent(0) > 0) write({"/" + name + "/map", "_" + name, solution.rows, {projection.map}});
  });
  world.agree([&] { write_sheet(output.picture, support, rasters, static_cast<int>(rasters.size())); });
}

}  // namespace hpot
