#include "map_plan.hpp"

#include "plan_sizes.hpp"

#include <algorithm>
#include <cmath>

namespace hpot {

Index MapRun::frames_at_once(Index points) const {
  constexpr Index most = Index{1} << 24;
  return std::clamp<Index>(most / points, 1, std::max<Index>(frames, 1));
}

namespace {

/// Values of the pictures of all frames: 3 bytes a pixel.
Real frame_pictures(const Grid& grid, const MapRun& maps) {
  constexpr Real least_height = 256.0;  // picture.cpp
  if (!maps.picture || grid.dimension() == 1) return 0.0;
  Real pixels = 0.0;
  const auto enlarged = [](Real rows, Real columns) {
    const Real factor = std::ceil(least_height / std::max(rows, 1.0));
    return rows * columns * factor * factor;
  };
  const auto side = [&](int d) { return static_cast<Real>(grid.axes[d].n); };
  if (grid.dimension() == 2) pixels = enlarged(side(0), side(1));
  if (grid.dimension() == 3) pixels = enlarged(std::max(side(0), side(1)), side(1) + 2.0 * side(2));
  return static_cast<Real>(maps.frames) * pixels * 3.0 / sizeof(Real);
}

}  // namespace

void consider_maps(const TransportSettings& settings, const TransportRun& run, const PlannedArrays& base,
                   const PlannedArrays& whole, WorkPlan& plan) {
  const auto [n, local_n, coarse, next] = mean_sizes(run, settings.schedule);
  const bool separable = settings.kernel.resolved_type(run.source) == "separable";
  const Real axes = run.source.dimension();
  const auto from_ranks = [&](Reduction reduction) {
    return between_ranks(settings.kernel, run.source, run.ranks, reduction);
  };
  const Real kernel = kernel_values(settings.kernel, run.source, local_n, n, local_n);
  const PlannedArrays marginals = arrays("weights, their logarithms and potentials", 6.0 * local_n);
  if (run.maps.map) {
    const Real sums = separable ? (axes > 1 ? 2.0 : 1.0) * local_n : 0.0;
    const Real work = separable && axes == 3 ? local_n : 0.0;  // that softmin does without
    plan.consider("averages of the map",
                  {base, whole, marginals, arrays("displacements", axes * local_n),
                   arrays("weights, values and means", 3.0 * local_n), arrays("work arrays of averages", sums + work),
                   from_ranks(Reduction::average), arrays("kernel", kernel)});
    const bool cloud = run.source.grid() == nullptr;
    plan.consider("writing of the map",
                  {base, whole, marginals, arrays("displacements", axes * local_n),
                   arrays("work arrays of averages", sums + work), from_ranks(Reduction::average),
                   arrays("kernel", kernel), arrays("displacements on their way to the file", 2.0 * axes * local_n),
                   arrays("displacements, whole, on rank 0", cloud ? 2.0 * axes * n : 0.0)});
  }
  if (run.maps
          .gradient) {  // write_gradient: weight_gradient; place_gradient, of costs but |x-y|^2 with points of its own
    const bool cloud = run.source.cloud() != nullptr;
    const Real places = cloud ? axes : 0.0;
    const bool own_points = cloud && !std::holds_alternative<SquaredEuclidean>(settings.kernel.cost);
    plan.consider(
        "gradients",
        {base, whole, marginals, arrays("gradients", std::max(2.0, places) * local_n),
         arrays("half-steps, marginals and means", 4.0 * local_n),
         own_points ? arrays("gathered weights and values", 2.0 * n) : from_ranks(Reduction::average),
         arrays("points", own_points ? 2.0 * axes * n : 0.0),
         arrays("gradients on their way to the file", 2.0 * std::max(1.0, places) * local_n),
         arrays("gradients, whole, on rank 0", run.source.grid() != nullptr ? 0.0 : 2.0 * std::max(1.0, places) * n),
         arrays("kernel", kernel)});
  }
  if (run.maps.pixels > 0) {  // write_colors, with barycentric_image
    constexpr Real colors_at_once = 0x1p16, raster = 3.0, key = 4.0, axes_of_colors = 3.0;
    const auto pixels = static_cast<Real>(run.maps.pixels);
    const Real block = std::min(pixels, colors_at_once);
    plan.consider("colours of the picture", {base,
                                             whole,
                                             marginals,
                                             arrays("kernel", kernel),
                                             {"the picture and its colours", pixels * (raster + key + raster)},
                                             arrays("colours at once, on the host and the device, and where they go",
                                                    3.0 * axes_of_colors * block),
                                             arrays("points of the target", axes_of_colors * n),
                                             from_ranks(Reduction::average)});
  }
  if (!run.maps.plan && run.maps.frames == 0) return;
  const Grid* const grid = run.source.grid();
  const bool cloud = run.source.cloud() != nullptr;
  const Real halves = grid != nullptr ? axes : 1.0;  // axes along which a level has half of the one below
  Real above = 0.0;                                  // level 0
  for (Real level = n; level > 1.0; level /= std::exp2(halves)) above += level / std::exp2(halves);
  const bool tilted =
      !settings.kernel.explicit_cost() && std::holds_alternative<SquaredEuclidean>(settings.kernel.cost);
  const Real bounded = std::min<Real>(axes, 3.0);
  const PlannedArrays tilt =
      arrays("slopes and places of boxes",
             (tilted ? bounded * above : 0.0) + (cloud ? 2.0 * (bounded * above + axes * n) : 0.0));
  const PlannedArrays matrix = arrays("the cost matrix", settings.kernel.explicit_cost() ? kernel : 0.0);
  plan.consider("bounds of the plan's entries",
                {base, whole, marginals, tilt, arrays("half-steps", 4.0 * local_n),
                 arrays("bounds over boxes of targets", (run.maps.plan ? 2.0 : 1.0) * (n + above)),
                 from_ranks(run.maps.map ? Reduction::average : Reduction::softmin), arrays("kernel", kernel)});
  const PlannedArrays exponents = arrays("potentials and half-steps", 5.0 * local_n);
  if (run.maps.plan) {
    constexpr Real values_in_flight = 12.0;
    plan.consider("entries of the plan",
                  {base, whole, exponents, tilt, matrix, arrays("bounds over boxes of targets", 2.0 * (n + above)),
                   arrays("counts, and places in the input", 3.0 * local_n + (cloud ? 5.0 : 4.0) * n),
                   arrays("entries on their way", values_in_flight * static_cast<Real>(MapRun::entries_at_once))});
  }
  if (run.maps.frames == 0) return;
  const auto at_once = static_cast<Real>(run.maps.frames_at_once(grid->points()));
  const PlannedArrays bounds = arrays("bounds over boxes of targets", n + above);
  const Real pictures = frame_pictures(*grid, run.maps);
  plan.consider(
      "frames between the measures",
      {base, whole, exponents, tilt, bounds, arrays("frames", at_once * n), arrays("frames on rank 0", at_once * n),
       arrays("pictures", pictures * (1.0 - at_once / static_cast<Real>(run.maps.frames)))});
  if (!run.maps.picture) return;
  plan.consider("pictures of the frames",
                {base, whole, exponents, tilt, bounds, arrays("frames on rank 0", at_once * n),
                 arrays("a frame and its values, sorted", 2.0 * n), arrays("pictures", pictures)});
  plan.consider("the sheet of the pictures",
                {base, whole, exponents, tilt, bounds, arrays("pictures", 2.0 * pictures)});
}

}  // namespace hpot
