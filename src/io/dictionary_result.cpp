#include "hpot/io/dictionary_result.hpp"

#include "hpot/io/map_files.hpp"
#include "hpot/io/nifti.hpp"

#include <algorithm>
#include <cstdio>

namespace hpot {
namespace {

/// Atom k of the solution.
std::vector<Real> atom_of(const DictionarySolution& solution, Index points, Index k) {
  const auto first = solution.atoms.begin() + k * points;
  return {first, first + points};
}

/// Atoms of a sheet, in rows of at most so many.
constexpr Index most_columns = 10;

/// Its file, where it has one, and its picture, where one is wanted; in the order of the input. Rank 0.
std::vector<Raster> write_atom(const OutputOptions& output, const Support& support, const std::vector<Real>& atom,
                               const std::string& suffix) {
  if (support.mesh() != nullptr) return write_surface_map(output, suffix, *support.mesh(), atom);
  if (support.grid() == nullptr) return {};
  const Grid& grid = *support.grid();
  if (grid.affine) {
    const std::string volume = beside(output.file, suffix + ".nii.gz");
    write_nifti(volume, grid, atom);
    std::printf("volume: %s\n", volume.c_str());
  }
  if (output.picture.empty()) return {};
  return {picture_of(grid, atom)};
}

}  // namespace

void print_dictionary(const RunRecord& run, const DictionarySettings& settings, const DictionarySolution& solution) {
  const Outcome& outcome = solution.outcome;
  const auto maps = static_cast<Index>(run.raw.names.size());
  const Index atoms = static_cast<Index>(solution.weights.size()) / maps;
  std::printf("%s after %lld %s, %lld gradients of %lld sweeps for a map, %.2f s, at epsilon %.6g\n",
              name(outcome.reason), static_cast<long long>(outcome.iterations), settings.batch > 0 ? "epochs" : "steps",
              static_cast<long long>(solution.evaluations), static_cast<long long>(settings.sweeps), outcome.seconds,
              outcome.epsilon);
  if (!solution.history.empty())
    std::printf("%s loss of %lld maps: %.6g at first, %.6g at last\n", settings.loss.c_str(),
                static_cast<long long>(maps), solution.history.front(), solution.history.back());
  std::printf("%12s %12s  %s\n", "mean weight", "largest", "atom");
  for (Index k = 0; k < atoms; ++k) {
    Real sum = 0.0;
    Real largest = 0.0;
    for (Index n = 0; n < maps; ++n) {
      sum += solution.weights[n * atoms + k];
      largest = std::max(largest, solution.weights[n * atoms + k]);
    }
    std::printf("%12.6f %12.6f  %lld\n", sum / static_cast<Real>(maps), largest, static_cast<long long>(k));
  }
  std::fputs(advice(solution, settings).c_str(), stderr);
}

void write_dictionary(const Communicator& world, const OutputOptions& output, Hdf5Writer* file, const Support& support,
                      const RunRecord& run, const DictionarySettings& settings, const DictionarySolution& solution) {
  world.agree([&] {
    if (world.rank() != 0) return;
    const auto maps = static_cast<Index>(run.raw.names.size());
    const Index atoms = static_cast<Index>(solution.weights.size()) / maps;
    write_run(*file, "", world, run, solution.outcome);
    file->attribute("/", "loss", settings.loss);
    file->attribute("/", "evaluations", solution.evaluations);
    file->attribute("/", "sweeps", settings.sweeps);
    file->attribute("/", "sweeps_for_a_gradient", solution.sweeps);
    if (!solution.history.empty()) write_known(*file, "/", "mean_loss", solution.history.back());
    file->dataset("/steps/loss", {{static_cast<Index>(solution.history.size())}, solution.history});
    std::vector<Index> shape = data_shape(support);
    shape.insert(shape.begin(), atoms);
    Array all{shape, {}};
    std::vector<Raster> rasters;
    for (Index k = 0; k < atoms; ++k) {
      const std::vector<Real> atom = in_input_order(support, atom_of(solution, support.points(), k));
      all.values.insert(all.values.end(), atom.begin(), atom.end());
      for (Raster& raster : write_atom(output, support, atom, "_" + std::to_string(k)))
        rasters.push_back(std::move(raster));
    }
    file->dataset("/atoms", all);
    file->dataset("/weights", {{maps, atoms}, solution.weights});
    if (!solution.losses.empty()) file->dataset("/losses", {{maps}, solution.losses});
    write_support(*file, "/support", support);
    write_sheet(output.picture, support, rasters, static_cast<int>(std::min(atoms, most_columns)));
  });
}

}  // namespace hpot
