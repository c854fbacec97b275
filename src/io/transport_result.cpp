#include "hpot/io/transport_result.hpp"

#include <cstdio>

namespace hpot {
namespace {

void write_values(Hdf5Writer& file, const std::string& object, const TransportValues& values) {
  file.attribute(object, "reference", std::string("product"));
  file.attribute(object, "marginal_error_source", values.residual_source);
  file.attribute(object, "marginal_error_target", values.residual_target);
  file.attribute(object, "plan_mass", values.plan_mass);
  file.attribute(object, "transport_cost", values.transport_cost);
  file.attribute(object, "primal_cost", values.primal_cost);
  file.attribute(object, "dual_cost", values.dual_cost);
  file.attribute(object, "gap", values.gap());
  file.attribute(object, "upper_cost", values.upper_cost);
  file.attribute(object, "error_floor", values.error_floor);
}

}  // namespace

Raster picture_of_pair(const Communicator& world, const OutputOptions& output, const Grid& grid,
                       const std::vector<std::vector<Real>>& weights) {
  if (output.picture.empty() || world.rank() != 0) return {};
  return contact_sheet({picture_of(grid, weights[0]), picture_of(grid, weights[1])}, 1);
}

void write_transport(const Communicator& world, const OutputOptions& output, const std::string& group, Hdf5Writer* file,
                     const RunRecord& run, const TransportSolution& solution, const Raster& picture) {
  const std::vector<Real> f = gather_points(solution.source_rows, solution.f);
  const std::vector<Real> g = gather_points(solution.target_rows, solution.g);
  world.agree([&] {
    if (world.rank() != 0) return;
    const Grid& grid = run.raw.grid;
    write_run(*file, group, world, run, solution.outcome);
    write_values(*file, group.empty() ? "/" : group, solution.values);
    file->dataset(group + "/potentials/f", {data_shape(grid), f});
    file->dataset(group + "/potentials/g", {data_shape(grid), g});
    file->dataset(group + "/history", run.history);
    write_support(*file, group + "/support", grid);
    if (!output.picture.empty()) write_png(picture_path(output.picture, group), picture);
  });
}

void write_divergence(const Communicator& world, const std::string& group, Hdf5Writer* file,
                      const Divergence& divergence) {
  world.agree([&] {
    if (world.rank() != 0) return;
    if (divergence.reason != StopReason::converged) {
      std::fprintf(stderr, "not converged: no divergence is given, a self-transport ended with %s\n",
                   name(divergence.reason));
      return;
    }
    std::printf("  divergence      %.12g\n", divergence.value);
    file->attribute(group.empty() ? "/" : group, "divergence", divergence.value);
  });
}

void print_transport(const std::string& group, const TransportSolution& solution) {
  const TransportValues& v = solution.values;
  const Outcome& outcome = solution.outcome;
  std::printf("%s%s after %lld sweeps, %.2f s, at epsilon %.6g\n",
              group.empty() ? "" : (group.substr(1) + ": ").c_str(), name(outcome.reason),
              static_cast<long long>(outcome.iterations), outcome.seconds, outcome.epsilon);
  std::printf("  transport_cost  %.12g\n  dual_cost       %.12g\n", v.transport_cost, v.dual_cost);
  if (std::isfinite(v.primal_cost)) std::printf("  primal_cost     %.12g   (gap %.3g)\n", v.primal_cost, v.gap());
  std::printf("  marginal_error  source %.3g, target %.3g   (error floor %.1g)\n  plan mass       %.12g\n",
              v.residual_source, v.residual_target, v.error_floor, v.plan_mass);
}

}  // namespace hpot
