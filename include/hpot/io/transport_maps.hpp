// What else a plan is good for: its entries, its map, gradients and the course from one measure to the other. Rank 0 writes.
//
//   /plan           its entries above a share (transport_plan.hpp)
//   /map            displacement [z,y,x,component]: barycentric projection minus point, components x, y, z along the grid's
//                   axes in its unit (clouds: [point,axis]); mask: 1 where the source has mass, 0 where the map is its
//                   smooth extension. Volumes with an affine also as NAME_map.nii.gz beside NAME.h5, in the affine's world
//   /gradient       of OT_eps by weights and positions (gradient_file.hpp)
//   /interpolation  times; frames [time,z,y,x] where output.keep_frames says so
// and, beside the file, the source picture in transported colours (colors.hpp).
#pragma once

#include "hpot/io/result.hpp"
#include "hpot/solver/solve_transport.hpp"
#include "hpot/solver/work_plan.hpp"

namespace hpot {

struct MapOptions {
  std::optional<Real> plan;  // share of the entries to write
  bool map = false;
  bool gradient = false;
  std::string interpolation;  // PNG; empty: none
  Index frames = 7;
  bool keep_frames = false;
  std::string colors;  // PNG; empty: none
  Real colors_share = 1.0;
  Index pixels = 0;  // of the picture whose colours move: count_pixels

  static std::vector<OptionKey> keys();
  static MapOptions from(const Options& options);
  [[nodiscard]] MapRun run() const;
};

/// InputError for what is not made of measures on such a support: interpolations and Newton steps need a grid; maps, pictures
/// and divergences more than a cost matrix; divergences one eps for three problems.
void check_outputs(const Options& options, const OutputOptions& output, const MapOptions& maps, bool divergence,
                   const Support& support);

/// Weights of the owned rows, which a solve would take with it.
struct OwnedPair {
  Field source, target;
};
/// Copies where `options` ask for anything of these; else empty. Local.
OwnedPair owned_pair(const MapOptions& options, const Communicator& world, const TransportData& data);

/// All that `options` ask for, at the solution's potentials. Nothing but a message where a run ended before epsilon reached
/// its target, or where the plan has no finite mass. `settings` are those of the solve, `source` names the measure. Collective.
void write_maps(const Communicator& world, const MapOptions& options, const OutputOptions& output,
                const std::string& group, Hdf5Writer* file, const TransportSettings& settings,
                const std::string& source, const std::vector<Support>& supports, OwnedPair pair,
                const TransportSolution& solution);

}  // namespace hpot
