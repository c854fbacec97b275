#include "hpot/io/transport_maps.hpp"

#include "hpot/core/field.hpp"
#include "hpot/io/colors.hpp"
#include "hpot/io/gradient_file.hpp"
#include "hpot/io/nifti.hpp"
#include "hpot/io/transport_plan.hpp"
#include "hpot/problem/barycentric_map.hpp"
#include "hpot/problem/interpolation.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <memory>
#include <utility>

namespace hpot {
namespace {

std::string label(const std::string& group) { return group.empty() ? "" : group.substr(1) + ": "; }

/// A volume of the vectors on rank 0, one rank's after another's.
void write_directions(const Communicator& world, const std::string& path, const Grid& grid, const OwnedRows& rows,
                      const Field& displacement) {
  std::unique_ptr<NiftiWriter> nifti;
  world.agree([&] {
    if (world.rank() == 0) nifti = NiftiWriter::of_displacements(path, grid);
  });
  const std::vector<Real> owned = host_values(displacement);
  for (int axis = 0; axis < 3; ++axis) {
    const Field component = make_field("hpot::maps::component", 1, in_world(grid, axis, owned));
    take_parts(world, rows, component, [&](Index, const std::vector<Real>& values) { nifti->append(values); });
  }
  world.agree([&] {
    if (nifti != nullptr) nifti->close();
  });
}

void write_map(const Communicator& world, const OutputOptions& output, const std::string& group, Hdf5Writer* file,
               const std::vector<Support>& supports, const TransportProblem& problem, const ConstField& g) {
  const Support& source = supports[0];
  const Grid* const grid = source.grid();
  const OwnedRows& rows = problem.source.rows;
  const std::string name = group + "/map/displacement";
  std::vector<Real> mask = host_values(problem.source.weight);
  for (Real& value : mask) value = value > 0.0 ? 1.0 : 0.0;
  write_points(world, file, group + "/map/mask", source, rows,
               make_field("hpot::maps::mask", 1, std::exchange(mask, {})));
  const Field displacement = barycentric_displacement(problem, source, supports[1], g);
  write_vectors(world, file, name, source, rows, displacement);
  world.agree([&] {
    if (world.rank() == 0) {
      file->attribute(name, "components",
                      grid != nullptr ? "x, y, z along the grid's axes, in the unit of its spacing"
                                      : "the points' axes, in their unit");
    }
  });
  if (grid == nullptr || !grid->affine) return;
  const std::string part = group.empty() ? "" : "_" + group.substr(1);
  const std::string volume = beside(output.file, part + "_map.nii.gz");
  write_directions(world, volume, *grid, rows, displacement);
  if (world.rank() == 0) std::printf("%smap: %s\n", label(group).c_str(), volume.c_str());
}

void write_interpolation(const Communicator& world, const MapOptions& options, const std::string& group,
                         Hdf5Writer* file, const Grid& grid, const PlanSearch& search) {
  const std::string frames = group + "/interpolation/frames";
  const std::vector<Real> times = frame_times(options.frames);
  world.agree([&] {
    if (world.rank() != 0) return;
    file->dataset(group + "/interpolation/times", {{options.frames}, times});
    if (!options.keep_frames) return;
    std::vector<Index> shape = data_shape(grid);
    shape.insert(shape.begin(), options.frames);
    file->reals(frames, shape);
  });
  std::vector<Raster> rasters;
  const Index at_once = options.run().frames_at_once(grid.points());
  for (Index first = 0; first < options.frames; first += at_once) {
    const Index last = std::min(first + at_once, options.frames);
    const std::vector<Real> masses = interpolate(search, {times.begin() + first, times.begin() + last});
    world.agree([&] {
      if (world.rank() != 0) return;
      if (options.keep_frames) file->part(frames, first, masses);
      if (options.interpolation.empty()) return;
      for (Index k = 0; k < last - first; ++k) {
        const auto begin = masses.begin() + k * grid.points();
        rasters.push_back(picture_of(grid, {begin, begin + grid.points()}));
      }
    });
  }
  world.agree([&] {
    if (world.rank() != 0 || rasters.empty()) return;
    const std::string path = picture_path(options.interpolation, group);
    write_png(path, contact_sheet(rasters, grid.dimension() == 2 ? static_cast<int>(options.frames) : 1));
    std::printf("%sinterpolation: %s\n", label(group).c_str(), path.c_str());
  });
}

/// Empty for none.
std::string picture_name(const Options& options, const std::string& key) {
  const std::string name = options.text(key);
  if (name == "none" || name.empty()) return {};
  if (!name.ends_with(".png")) options.reject(key, "pictures are PNG files", "give a name that ends in .png, or none");
  return name;
}

}  // namespace

std::vector<OptionKey> MapOptions::keys() {
  constexpr Index most_frames = 1000;
  return {
      {"output.plan", "none",
       "SHARE (1e-3): also write /plan, the entries of at least this share of the mass of their row or of their "
       "column; "
       "none",
       check::word_or({"none"}, check::real(1e-12, 1.0))},
      {"output.map", "false",
       "also write /map, where each source point's mass goes on average; of volumes also NAME_map.nii.gz",
       check::flag()},
      {"output.gradient", "false",
       "also write /gradient, the derivatives of OT_eps by the weights and, of clouds, by the positions of both sides",
       check::flag()},
      {"output.interpolation", "none", "PNG picture of the masses on their way from source to target, or none",
       check::text()},
      {"output.frames", "7", "number of frames on that way, both ends included", check::integer(2, most_frames)},
      {"output.keep_frames", "false", "also write the frames to output.file, /interpolation", check::flag()},
      {"output.colors", "none",
       "PNG of the source picture (?as=colors) with every pixel's colour moved by the plan's map, or none",
       check::text()},
      {"output.colors_share", "1",
       "how far colours move: x to (1 - share) x + share T(x), T the map; 0: the picture as it is",
       check::real(0.0, 1.0)},
  };
}

MapOptions MapOptions::from(const Options& options) {
  MapOptions result;
  if (options.text("output.plan") != "none") result.plan = options.real("output.plan");
  result.map = options.flag("output.map");
  result.gradient = options.flag("output.gradient");
  result.interpolation = picture_name(options, "output.interpolation");
  result.colors = picture_name(options, "output.colors");
  result.colors_share = options.real("output.colors_share");
  result.frames = options.integer("output.frames");
  result.keep_frames = options.flag("output.keep_frames");
  return result;
}

void check_outputs(const Options& options, const OutputOptions& output, const MapOptions& maps, bool divergence,
                   const Support& support) {
  const std::string& unit = options.text("epsilon.unit");
  const bool one_spacing = support.grid() != nullptr || support.mesh() != nullptr;  // clouds' spacings differ
  const bool one_unit = unit == "cost" || (unit == "spacing2" && one_spacing);
  if (divergence && !one_unit && support.dimension() > 0)
    options.reject("epsilon.unit", "a divergence needs one eps for three problems", "use epsilon.unit = cost");
  if (support.grid() != nullptr) return;
  if (options.text("acceleration.finish") == "newton" && support.cloud() == nullptr)
    options.reject("acceleration.finish", "Newton steps need a grid or a cloud", "use auto or none");
  const bool matrix = support.dimension() == 0;
  const auto refuse = [&](bool asked, const std::string& key, const std::string& why) {
    if (asked) options.reject(key, why, "leave it out");
  };
  const bool surface = support.mesh() != nullptr;
  const std::string needs_grid = matrix    ? "a cost matrix knows no places"
                                 : surface ? "on a surface there are no straight ways"
                                           : "clouds of points have no grid";
  refuse(surface && maps.map, "output.map", needs_grid);
  refuse(surface && maps.plan.has_value(), "output.plan", "plans on surfaces are not searched for large entries");
  refuse(!maps.interpolation.empty(), "output.interpolation", needs_grid);
  refuse(maps.keep_frames, "output.keep_frames", needs_grid);
  refuse(matrix && maps.map, "output.map", needs_grid);
  refuse(matrix && !output.picture.empty(), "output.picture", needs_grid);
  refuse(maps.gradient && options.text("cost.type") == "cosine", "output.gradient",
         "directions have no gradient by positions here");
  refuse(matrix && divergence, "sinkhorn.divergence", "it needs the costs within each measure, too");
}

MapRun MapOptions::run() const {
  return {plan.has_value(),       map,   gradient, interpolation.empty() && !keep_frames ? 0 : frames,
          !interpolation.empty(), pixels};
}

OwnedPair owned_pair(const MapOptions& options, const Communicator& world, const TransportData& data) {
  if (!options.run().any()) return {};
  return {make_field("hpot::maps::source", 1, owned_values(data.source, own_rows(data.source_support, world))),
          make_field("hpot::maps::target", 1, owned_values(data.target, own_rows(data.target_support, world)))};
}

void write_maps(const Communicator& world, const MapOptions& options, const OutputOptions& output,
                const std::string& group, Hdf5Writer* file, const TransportSettings& settings,
                const std::string& source, const std::vector<Support>& supports, OwnedPair pair,
                const TransportSolution& solution) {
  const MapRun run = options.run();
  if (!run.any()) return;
  const bool early = solution.outcome.epsilon > solution.target_epsilon;  // its plan spreads far, and costs as much
  const Real mass = solution.values.plan_mass;
  if (early || !std::isfinite(mass) || mass <= 0.0) {
    if (world.rank() == 0) {
      std::fprintf(stderr, "%sno plan, map, gradient or interpolation is given%s: %s\n", label(group).c_str(),
                   options.colors.empty() ? "" : ", and no colours are moved",
                   early ? "the run ended before epsilon reached its target" : "the plan's mass is no positive number");
    }
    return;
  }
  const OwnedRows& a = solution.source_rows;
  const OwnedRows& b = solution.target_rows;
  const KernelOptions& kernel = settings.kernel;
  const Real unit = solution.target_epsilon / settings.epsilon.target;
  const Grid* const grid = supports[0].grid();
  std::optional<PlanSearch> search;
  {
    const TransportProblem problem{
        make_marginal(a, std::exchange(pair.source, {}), parse_penalty(settings.source_penalty, unit)),
        make_marginal(b, std::exchange(pair.target, {}), parse_penalty(settings.target_penalty, unit)),
        make_kernel(kernel, supports[0], a, supports[1], b), solution.outcome.epsilon};
    if (run.map) write_map(world, output, group, file, supports, problem, solution.g);
    if (run.gradient) write_gradient(world, group, file, kernel, supports, problem, solution.f, solution.g);
    if (!options.colors.empty()) {
      write_colors(world, picture_path(options.colors, group), options.colors_share, source, kernel, problem.target,
                   supports[1], solution.g, problem.epsilon);
    }
    if (!run.plan && run.frames == 0) return;
    search = make_plan_search(problem, supports[0], supports[1], kernel, solution.f, solution.g, run.plan);
  }
  if (options.plan) write_plan(world, *options.plan, group, file, *search);
  search->column = {};
  if (run.frames > 0) write_interpolation(world, options, group, file, *grid, *search);
}

}  // namespace hpot
