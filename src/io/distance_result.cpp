#include "hpot/io/distance_result.hpp"

#include "hpot/core/field.hpp"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace hpot {
namespace {

constexpr Real unknown = std::numeric_limits<Real>::quiet_NaN();

bool is_done(const PairResult& result) { return result.sweeps > 0; }

Real marginal_error(const PairResult& result) {
  return std::max(result.values.residual_source, result.values.residual_target);
}

/// Both sides have the rows of the cost matrix for their support, so that a measure can be on either.
bool shares_support(const Support& source, const Support& target) { return source.points() == target.points(); }

bool is_symmetric(const CostMatrix& matrix) {
  const auto alike = [&](const auto& rows) {
    const auto host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace{}, rows);
    for (Index i = 0; i < matrix.rows; ++i) {
      for (Index j = 0; j < i; ++j) {
        if (host(i, j) != host(j, i)) return false;
      }
    }
    return true;
  };
  return matrix.rows == matrix.columns && (matrix.narrow.extent(1) > 0 ? alike(matrix.narrow) : alike(matrix.wide));
}

/// value(result) of every entry of the matrix.
template <class Value>
Array matrix_of(const Study& study, const std::vector<PairResult>& results, const Value& value) {
  Array matrix{{study.rows, study.columns}, std::vector<Real>(study.rows * study.columns, unknown)};
  for (Index p = 0; p < study.of_matrix; ++p) {
    if (!is_done(results[p])) continue;
    const Real entry = value(results[p]);
    const auto [row, target] = study.pairs[p];
    const Index column = target - study.first_column;
    const Real known = std::isfinite(entry) ? entry : unknown;
    matrix.values[row * study.columns + column] = known;
    if (study.symmetric) matrix.values[column * study.columns + row] = known;
  }
  return matrix;
}

Real value_named(const std::string& name, const PairResult& result) {
  if (name == "primal_cost") return result.values.primal_cost;
  return name == "transport_cost" ? result.values.transport_cost : result.values.dual_cost;
}

/// dual_cost of (k, k) for every measure, where both sides' numbers mean the same measures.
std::vector<Real> self_costs(const Study& study, const std::vector<PairResult>& results) {
  const Index measures = std::max(study.rows, study.first_column + study.columns);
  std::vector<Real> costs(measures, unknown);
  for (std::size_t p = 0; p < study.pairs.size(); ++p) {
    const auto [i, j] = study.pairs[p];
    if (i == j && is_done(results[p])) costs[i] = results[p].values.dual_cost;
  }
  return costs;
}

/// OT(a,b) - (OT(a,a) + OT(b,b))/2 + eps (m_a - m_b)^2/2 [Feydy 2019; Sejourne 2019].
Array divergences(const Study& study, const StudySolution& solution, const std::vector<Real>& masses) {
  Array matrix = matrix_of(study, solution.results, [](const PairResult& r) { return r.values.dual_cost; });
  const std::vector<Real> self = self_costs(study, solution.results);
  for (Index i = 0; i < study.rows; ++i) {
    for (Index c = 0; c < study.columns; ++c) {
      const Index j = c + study.first_column;
      const Real excess = masses.empty() ? 0.0 : masses[i] - masses[j];
      Real& entry = matrix.values[i * study.columns + c];
      entry = entry - 0.5 * (self[i] + self[j]) + 0.5 * solution.epsilon * excess * excess;
    }
  }
  return matrix;
}

struct Summary {
  Index converged = 0, done = 0;
  Real worst = 0.0;
  Real gap = -infinity;
};

Summary summary_of(const std::vector<PairResult>& results) {
  Summary s;
  for (const PairResult& result : results) {
    if (!is_done(result)) continue;
    ++s.done;
    s.converged += result.reason == StopReason::converged ? 1 : 0;
    s.worst = std::max(s.worst, marginal_error(result));
    if (std::isfinite(result.values.gap)) s.gap = std::max(s.gap, result.values.gap);
  }
  return s;
}

void print_study(const std::string& group, const Study& study, const StudySolution& solution) {
  const Summary s = summary_of(solution.results);
  const auto pairs = static_cast<double>(solution.results.size());
  std::printf("%s%lld x %lld distances at epsilon %.6g: %s, %lld of %lld pairs converged\n",
              group.empty() ? "" : (group.substr(1) + ": ").c_str(), static_cast<long long>(study.rows),
              static_cast<long long>(study.columns), solution.epsilon, name(solution.reason),
              static_cast<long long>(s.converged), static_cast<long long>(solution.results.size()));
  std::printf("  sweeps          %lld, %.1f for each pair\n", static_cast<long long>(solution.sweeps),
              static_cast<double>(solution.sweeps) / pairs);
  std::printf("  seconds         %.2f, %.0f pairs a second\n", solution.seconds,
              static_cast<double>(s.done) / std::max(solution.seconds, 1e-9));
  std::printf("  marginal_error  at most %.3g\n", s.worst);
  if (std::isfinite(s.gap)) std::printf("  gap             at most %.3g\n", s.gap);
}

/// Which pairs did not converge, the first of them.
void print_failures(const Study& study, const StudySolution& solution, const StoppingOptions& stopping) {
  constexpr int shown = 10;
  int count = 0;
  for (std::size_t p = 0; p < solution.results.size(); ++p) {
    const PairResult& result = solution.results[p];
    if (!is_done(result) || result.reason == StopReason::converged) continue;
    if (count == 0)
      std::fprintf(stderr, "not converged, to be found where /converged is 0 (tolerance %g, at most %lld sweeps):\n",
                   stopping.tolerance, static_cast<long long>(stopping.max_iterations));
    if (++count > shown) continue;
    std::fprintf(stderr, "  (%lld, %lld): %s after %lld sweeps, marginal error %.3g\n",
                 static_cast<long long>(study.pairs[p].source),
                 static_cast<long long>(study.pairs[p].target - study.first_column), name(result.reason),
                 static_cast<long long>(result.sweeps), marginal_error(result));
  }
  if (count > shown) std::fprintf(stderr, "  and %d more\n", count - shown);
  if (count > 0)
    std::fputs("  Try: a larger stopping.max_iterations, a larger epsilon, acceleration.type = anderson.\n", stderr);
}

/// The matrix as a picture; what is not known, or below 0 by rounding, is 0 in it.
void write_picture(const std::string& path, const Array& distances) {
  std::vector<Real> shades = distances.values;
  for (Real& value : shades) value = value > 0.0 ? value : 0.0;
  write_png(path, picture_of(make_grid({distances.shape[0], distances.shape[1]}, {1.0}), shades));
}

}  // namespace

std::vector<OptionKey> DistanceOptions::keys() {
  return {
      {"sinkhorn.divergence", "false",
       "also solve (a,a) and (b,b), and report the Sinkhorn divergence; of many pairs /distances holds the divergences",
       check::flag()},
      {"sinkhorn.distance", "dual_cost",
       "what /distances holds of many pairs where no divergence is asked for: dual_cost, primal_cost or transport_cost",
       check::one_of({"dual_cost", "primal_cost", "transport_cost"})},
  };
}

DistanceOptions DistanceOptions::from(const Options& options) {
  return {options.flag("sinkhorn.divergence"), options.text("sinkhorn.distance")};
}

Index most_pairs(Index sources, Index targets) { return targets == 0 ? sources * (sources + 1) / 2 : 2 * targets + 1; }

Study make_study(const TransportSettings& settings, const DistanceOptions& distance, Index sources, Index targets) {
  Study study;
  study.distance = distance;
  const bool explicit_cost = settings.kernel.explicit_cost();
  const bool shared = !explicit_cost || settings.kernel.matrix->rows == settings.kernel.matrix->columns;
  study.alike =
      settings.source_penalty == settings.target_penalty && (!explicit_cost || is_symmetric(*settings.kernel.matrix));
  if (targets > 0) {
    study.rows = 1;
    study.columns = targets;
    study.first_column = shared ? 1 : 0;
    for (Index k = 0; k < targets; ++k) study.pairs.push_back({0, study.first_column + k});
  } else {
    study.rows = study.columns = sources;
    study.symmetric = study.alike;
    for (Index i = 0; i < sources; ++i) {
      for (Index j = study.symmetric ? i : 0; j < sources; ++j) study.pairs.push_back({i, j});
    }
  }
  study.of_matrix = static_cast<Index>(study.pairs.size());
  if (distance.divergence && targets > 0) {
    for (Index k = 0; k <= targets; ++k) study.pairs.push_back({k, k});
  }
  return study;
}

void check_study(const Options& options, const std::vector<std::string>& names, const std::vector<Support>& supports,
                 Index sources) {
  const bool all_pairs = sources == static_cast<Index>(names.size());
  if (supports[0].dimension() == 0) {
    const std::size_t first = all_pairs ? 0 : 1;
    for (std::size_t k = first; k < names.size(); ++k)
      require(supports[k].points() == supports[first].points(), names[k],
              supports[k].describe() + ", and " + names[first] + " has " + supports[first].describe(),
              "give weights for the same entries of the cost matrix");
    if (options.flag("sinkhorn.divergence") && !shares_support(supports[0], supports.back()))
      options.reject("sinkhorn.divergence", "sources and targets are different entries of the cost matrix",
                     "it needs a square one");
  }
  if (options.text("epsilon.unit") == "mean_cost")
    options.reject("epsilon.unit", "it differs from pair to pair, and eps must not", "use cost or max_cost");
  if (supports[0].cloud() != nullptr && options.text("epsilon.unit") == "spacing2")
    options.reject("epsilon.unit", "every cloud has another spacing, and eps must not differ", "use cost or max_cost");
  if (options.flag("sinkhorn.divergence") && options.text("penalty.source") != options.text("penalty.target"))
    options.reject("sinkhorn.divergence", "the penalties of the two sides differ", "make them equal");
}

void check_masses(const TransportSettings& settings, const std::vector<Real>& masses, bool normalized,
                  const std::vector<MeasurePair>& pairs, Index sources) {
  if (normalized) return;
  const bool shared =
      !settings.kernel.explicit_cost() || settings.kernel.matrix->rows == settings.kernel.matrix->columns;
  for (const auto& [i, j] : pairs) settings.check_masses(masses[i], masses[shared ? j : j + sources]);
}

StudyMeasures whole_measures(const Communicator& world, MeasureSet& set, const std::vector<Support>& supports,
                             Range owned, Index sources) {
  const auto count = static_cast<Index>(supports.size());
  StudyMeasures measures{supports, {}, {}};
  std::vector<std::vector<Real>> all = std::move(set.weights);
  if (owned.size() != count || world.size() > 1) {
    if (supports[0].cloud() == nullptr) {
      std::vector<std::vector<Real>> whole(count);
      for (Index k = 0; k < count; ++k) {
        whole[k] = owned.begin <= k && k < owned.end ? std::move(all[k - owned.begin])
                                                     : std::vector<Real>(supports[k].points(), 0.0);
        world.sum(whole[k]);  // one owner: zeros are added
      }
      all = std::move(whole);
    }
  }
  if (sources < count && !shares_support(supports[0], supports.back())) {
    measures.targets.assign(std::make_move_iterator(all.begin() + sources), std::make_move_iterator(all.end()));
    all.resize(sources);
  }
  measures.sources = std::move(all);
  return measures;
}

std::function<void(const StudyProgress&)> make_study_progress(const std::string& style, bool speaks) {
  constexpr double growth = 1.5;
  constexpr double seconds_between = 0.2;
  if (style == "none" || !speaks) return [](const StudyProgress&) {};
  const bool terminal =
      style == "line" || (style == "auto" && isatty(STDOUT_FILENO) != 0 && isatty(STDERR_FILENO) != 0);
  return [terminal, printed = 0.0, begun = false](const StudyProgress& now) mutable {
    const bool last = now.done == now.all;
    const double left = now.seconds / static_cast<double>(now.done) * static_cast<double>(now.all - now.done);
    if (!last &&
        (terminal ? now.seconds < printed + seconds_between : now.seconds < 1.0 || now.seconds < growth * printed))
      return;
    if (terminal) {
      std::printf("\r\033[Kpairs %lld of %lld  not converged %lld  error %.2e  %.1f s  about %.0f s left%s",
                  static_cast<long long>(now.done), static_cast<long long>(now.all),
                  static_cast<long long>(now.unconverged), now.worst, now.seconds, left, last ? "\n" : "");
    } else {
      if (!begun)
        std::printf("%12s %12s %15s %15s %10s  %s\n", "pairs", "of", "not_converged", "marginal_error", "seconds",
                    "left");
      std::printf("%12lld %12lld %15lld %15.3e %10.2f  %s\n", static_cast<long long>(now.done),
                  static_cast<long long>(now.all), static_cast<long long>(now.unconverged), now.worst, now.seconds,
                  last ? "" : ("about " + std::to_string(static_cast<long long>(left) + 1) + " s").c_str());
    }
    std::fflush(stdout);
    begun = true;
    printed = now.seconds;
  };
}

void write_distances(const Communicator& world, const OutputOptions& output, const std::string& group, Hdf5Writer* file,
                     const RunRecord& run, const Study& study, const Support& support, const StudySolution& solution,
                     const StoppingOptions& stopping) {
  world.agree([&] {
    if (world.rank() != 0) return;
    const std::vector<PairResult>& results = solution.results;
    const Summary summary = summary_of(results);
    write_run(*file, group, world, run,
              {solution.reason, solution.sweeps, summary.worst, solution.epsilon, 0, solution.seconds});
    const std::string root = group.empty() ? "/" : group;
    file->attribute(root, "pairs", static_cast<Index>(results.size()));
    file->attribute(root, "pairs_converged", summary.converged);
    write_known(*file, root, "marginal_error_max", summary.worst);
    write_known(*file, root, "gap_max", summary.gap);
    const bool normalized = run.options.flag("input.normalize");
    const Array distances =
        study.distance.divergence
            ? divergences(study, solution, normalized ? std::vector<Real>() : run.set.masses)
            : matrix_of(study, results, [&](const PairResult& r) { return value_named(study.distance.value, r); });
    const auto put = [&](const char* dataset, const auto& value) {
      file->dataset(group + dataset, matrix_of(study, results, value));
    };
    file->dataset(group + "/distances", distances);
    const auto& names = run.raw.names;
    const auto columns = names.end() - static_cast<std::ptrdiff_t>(study.columns);
    file->attribute(group + "/distances", "value", study.distance.divergence ? "divergence" : study.distance.value);
    file->attribute(group + "/distances", "sources",
                    std::vector<std::string>(names.begin(), names.begin() + study.rows));
    file->attribute(group + "/distances", "targets", std::vector<std::string>(columns, names.end()));
    put("/transport_cost", [](const PairResult& r) { return r.values.transport_cost; });
    put("/dual_cost", [](const PairResult& r) { return r.values.dual_cost; });
    put("/gap", [](const PairResult& r) { return r.values.gap; });
    put("/marginal_error", [](const PairResult& r) { return marginal_error(r); });
    put("/sweeps", [](const PairResult& r) { return static_cast<Real>(r.sweeps); });
    put("/converged", [](const PairResult& r) { return r.reason == StopReason::converged ? 1.0 : 0.0; });
    if (study.of_matrix < static_cast<Index>(study.pairs.size())) {
      const std::vector<Real> self = self_costs(study, results);
      file->dataset(group + "/self_cost", {{static_cast<Index>(self.size())}, self});
    }
    if (support.cloud() == nullptr) write_support(*file, group + "/support", support);
    if (!output.picture.empty()) write_picture(picture_path(output.picture, group), distances);
    print_study(group, study, solution);
    print_failures(study, solution, stopping);
  });
}

}  // namespace hpot
