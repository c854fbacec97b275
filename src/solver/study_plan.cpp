#include "hpot/solver/study_plan.hpp"

#include "hpot/solver/pair_mixing.hpp"

#include <algorithm>
#include <cmath>

namespace hpot {
namespace {

constexpr Real bytes_per_value = sizeof(Real);
constexpr Real numbers_of_pair = 24.0;  // its results, in tables and gathered

struct StudySizes {
  Real n, m;       // points of a source and a target
  Real weights;    // of all measures
  Real on_levels;  // the same with coarser copies
  Real matrix;
};

StudySizes sizes_of(const TransportSettings& settings, const StudyRun& run) {
  const auto n = static_cast<Real>(run.source.points());
  const auto m = static_cast<Real>(run.target.points());
  const Real weights = static_cast<Real>(run.sources) * n + static_cast<Real>(run.targets) * m;
  const int dimension = std::max(1, run.source.dimension());
  const Real ratio = run.source.grid() == nullptr ? 0.0 : 1.0 / std::exp2(dimension);
  const Real matrix =
      settings.kernel.explicit_cost() || (settings.kernel.is_geodesic() && settings.kernel.radius == infinity)
          ? n * m * (settings.kernel.short_storage ? 0.5 : 1.0)
          : 0.0;
  return {n, m, weights, weights / (1.0 - ratio), matrix};
}

/// PairSweeps, and the work arrays of its operators.
Real values_in_sweeps(const TransportSettings& settings, const StudySizes& sizes) {
  const bool matrix = settings.kernel.explicit_cost();
  return values_of_pair(static_cast<Index>(sizes.n), static_cast<Index>(sizes.m), mixed_sweeps(settings.mixing())) +
         (matrix ? 6.0 : 2.0) * std::max(sizes.n, sizes.m);
}

/// evaluate_batch: weights and their logarithms, softmins, marginals, rounded plans, averages.
Real values_in_evaluation(const StudySizes& sizes) { return 16.0 * std::max(sizes.n, sizes.m); }

Real held(const TransportSettings& settings, const StudyRun& run) {
  const StudySizes sizes = sizes_of(settings, run);
  return library_buffers().bytes +
         bytes_per_value * (2.0 * sizes.on_levels + sizes.matrix + numbers_of_pair * static_cast<Real>(run.pairs));
}

PlannedArrays arrays(const std::string& name, Real values) { return {name, bytes_per_value * values}; }

}  // namespace

Index pairs_of_chunk(const TransportSettings& settings, const StudyRun& run) {
  constexpr bool on_host = Kokkos::SpaceAccessibility<Kokkos::HostSpace, MemorySpace>::accessible;
  constexpr Real cache = on_host ? 0x1p22 : 0x1p28;  // bytes
  if (run.source.cloud() != nullptr) return 1;
  const StudySizes sizes = sizes_of(settings, run);
  const Real in_cache = cache / (bytes_per_value * values_in_sweeps(settings, sizes));
  const Real in_room = (run.room - held(settings, run)) /
                       (bytes_per_value * (values_in_sweeps(settings, sizes) + values_in_evaluation(sizes)));
  const Index most = std::max<Index>(1, (run.pairs + run.ranks - 1) / run.ranks);
  return std::clamp<Index>(static_cast<Index>(std::max(1.0, std::min(in_cache, in_room))), 1, most);
}

WorkPlan plan_study(const TransportSettings& settings, const StudyRun& run) {
  const StudySizes sizes = sizes_of(settings, run);
  const auto chunk = static_cast<Real>(pairs_of_chunk(settings, run));
  const PlannedArrays base = library_buffers();
  const PlannedArrays raw = arrays("measures as read, for the second part", run.parts > 1 ? sizes.weights : 0.0);
  const PlannedArrays tables = arrays("tables of all results", numbers_of_pair * static_cast<Real>(run.pairs));
  const PlannedArrays matrix = arrays("cost matrix", sizes.matrix);
  WorkPlan plan;
  plan.consider("reading",
                {base, raw, matrix, arrays("measures, whole, and on their way to all ranks", 3.0 * sizes.weights)});
  if (run.source.cloud() != nullptr) {
    TransportRun one{run.source, run.target, 1, 1, false, true, {}};
    const WorkPlan pair = plan_transport(settings, one);
    plan.consider("a pair's " + pair.phase,
                  {base,
                   raw,
                   tables,
                   arrays("measures and their points, whole", sizes.weights * (1.0 + run.source.dimension())),
                   {"arrays of the pair", pair.bytes() - base.bytes}});
    plan.terms_per_sweep = pair.terms_per_sweep * static_cast<Real>(run.pairs) / run.ranks;
    return plan;
  }
  plan.consider("making of levels", {base, raw, matrix, arrays("measures, whole", sizes.weights),
                                     arrays("weights and their logarithms, all levels", 2.0 * sizes.on_levels)});
  plan.consider("chunks of " + std::to_string(static_cast<Index>(chunk)) + " pairs",
                {base, raw, matrix, tables, arrays("weights and their logarithms, all levels", 2.0 * sizes.on_levels),
                 arrays("potentials and mixing of a chunk", chunk * values_in_sweeps(settings, sizes)),
                 arrays("evaluation of a chunk", chunk * values_in_evaluation(sizes))});
  Real terms = sizes.m;
  if (settings.kernel.resolved_type(run.source) == "separable") {
    terms = 0.0;
    for (const Axis& axis : run.source.grid()->axes) terms += static_cast<Real>(axis.n);
  }
  plan.terms_per_sweep = 2.0 * sizes.n * terms * static_cast<Real>(run.pairs) / run.ranks;
  return plan;
}

}  // namespace hpot
