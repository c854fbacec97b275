#include "hpot/io/transport_result.hpp"

#include "hpot/io/cloud_picture.hpp"
#include "hpot/io/surface_picture.hpp"

#include <cmath>
#include <cstdio>

namespace hpot {
namespace {

void write_values(Hdf5Writer& file, const std::string& object, const TransportValues& values) {
  file.attribute(object, "reference", std::string("product"));
  write_known(file, object, "marginal_error_source", values.residual_source);
  write_known(file, object, "marginal_error_target", values.residual_target);
  write_known(file, object, "plan_mass", values.plan_mass);
  write_known(file, object, "transport_cost", values.transport_cost);
  write_known(file, object, "primal_cost", values.primal_cost);
  write_known(file, object, "dual_cost", values.dual_cost);
  write_known(file, object, "gap", values.gap);
  write_known(file, object, "lower_cost", values.lower_cost);
  write_known(file, object, "upper_cost", values.upper_cost);
  write_known(file, object, "error_floor", values.error_floor);
}

void print_value(const char* name, Real value) {
  if (std::isfinite(value)) std::printf("  %-15s %.12g\n", name, value);
}

/// The interval of the unregularised cost, or the end of it that is known.
void print_interval(Real lower, Real upper) {
  if (std::isfinite(lower) && std::isfinite(upper)) {
    std::printf("  unregularised   [%.12g, %.12g]\n", lower, upper);
  } else if (std::isfinite(lower)) {
    std::printf("  unregularised   at least %.12g\n", lower);
  } else if (std::isfinite(upper)) {
    std::printf("  unregularised   at most %.12g\n", upper);
  }
}

/// Of a run that converged; `advice` says it to the others.
void warn_of_tolerance(const TransportSolution& solution) {
  if (solution.outcome.reason != StopReason::converged || solution.tolerance >= solution.values.error_floor) return;
  std::fprintf(stderr,
               "warning: stopping.tolerance = %g lies below the error floor %.1g of double precision at this epsilon: "
               "marginal errors\n  below the floor cannot be trusted. Raise stopping.tolerance or epsilon.target.\n",
               solution.tolerance, solution.values.error_floor);
}

}  // namespace

Raster picture_of_pair(const Communicator& world, const OutputOptions& output, const std::vector<Support>& supports,
                       const std::vector<std::vector<Real>>& weights) {
  if (output.picture.empty()) return {};
  if (supports[0].cloud() != nullptr)
    return world.rank() == 0 ? contact_sheet(pictures_of_clouds(supports, weights), 1) : Raster{};
  if (const Mesh* mesh = supports[0].mesh(); mesh != nullptr)
    return world.rank() == 0 ? contact_sheet({picture_of(*mesh, weights[0]), picture_of(*mesh, weights[1])}, 1)
                             : Raster{};
  std::vector<Raster> pictures;
  for (const std::vector<Real>& owned : weights) {
    const std::vector<Real> whole = world.gather(owned);
    if (world.rank() == 0) pictures.push_back(picture_of(*supports[0].grid(), whole));
  }
  return world.rank() == 0 ? contact_sheet(pictures, 1) : Raster{};
}

void write_transport(const Communicator& world, const OutputOptions& output, const std::string& group, Hdf5Writer* file,
                     const RunRecord& run, const TransportSolution& solution, const Raster& picture) {
  const Support& source = run.raw.supports[0];
  const Support& target = run.raw.supports[1];
  write_points(world, file, group + "/potentials/f", source, solution.source_rows, solution.f);
  write_points(world, file, group + "/potentials/g", target, solution.target_rows, solution.g);
  world.agree([&] {
    if (world.rank() != 0) return;
    write_run(*file, group, world, run, solution.outcome);
    write_values(*file, group.empty() ? "/" : group, solution.values);
    file->dataset(group + "/history", run.history);
    if (source.grid() != nullptr || source.mesh() != nullptr) {
      write_support(*file, group + "/support", source);
    } else {
      write_support(*file, group + "/support/source", source);
      write_support(*file, group + "/support/target", target);
    }
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
  print_value("transport_cost", v.transport_cost);
  print_value("dual_cost", v.dual_cost);
  print_value("primal_cost", v.primal_cost);
  if (std::isfinite(v.gap)) std::printf("  gap             %.3g\n", v.gap);
  print_interval(v.lower_cost, v.upper_cost);
  if (std::isfinite(v.residual_source) && std::isfinite(v.residual_target)) {
    std::printf("  marginal_error  source %.3g, target %.3g   (error floor %.1g)\n", v.residual_source,
                v.residual_target, v.error_floor);
  }
  print_value("plan mass", v.plan_mass);
  warn_of_tolerance(solution);
}

}  // namespace hpot
