// What hpot-sinkhorn prints and writes of many pairs of measures.
//
//   /distances        (sources, targets): the value that sinkhorn.distance names, or the Sinkhorn divergence; attributes
//                     sources and targets: the measures' names
//   /transport_cost, /dual_cost, /gap, /marginal_error, /sweeps     (sources, targets)
//   /converged        (sources, targets): 1 where the marginal error is within the tolerance
//   /self_cost        with the divergences of one source: dual_cost of (source, source), then of every (target, target)
// What is not known, of pairs that were not begun for instance, is NaN.
#pragma once

#include "hpot/io/result.hpp"
#include "hpot/solver/pair_study.hpp"

namespace hpot {

struct DistanceOptions {
  bool divergence = false;
  std::string value = "dual_cost";  // or primal_cost, transport_cost

  static std::vector<OptionKey> keys();
  static DistanceOptions from(const Options& options);
};

/// Pairs in the order in which they are solved: rows of the matrix, or of its upper triangle where it is symmetric, diagonal
/// included; then what a divergence needs besides.
struct Study {
  DistanceOptions distance;
  Index rows = 0;  // of the matrix
  Index columns = 0;
  Index first_column = 0;  // number of its measure in StudyMeasures
  bool alike = false;      // penalties and costs, both ways, of measures that can be on either side
  bool symmetric = false;  // and both sides are the same measures
  Index of_matrix = 0;     // so many of the pairs are entries of the matrix; the others are (measure, measure)
  std::vector<MeasurePair> pairs;
};

/// settings.kernel.matrix is read. `targets` = 0: the sources are both sides.
Study make_study(const TransportSettings& settings, const DistanceOptions& distance, Index sources, Index targets);
Index most_pairs(Index sources, Index targets);

/// InputError for measures that cannot be compared: sizes that differ, units of eps that would. Local.
void check_study(const Options& options, const std::vector<std::string>& names, const std::vector<Support>& supports,
                 Index sources);

/// InputError where a pair's masses have no plan under the penalties. Local, alike on all ranks.
void check_masses(const TransportSettings& settings, const std::vector<Real>& masses, bool normalized,
                  const std::vector<MeasurePair>& pairs, Index sources);

/// All measures on every rank; `set` holds those of `owned`. Collective.
StudyMeasures whole_measures(const Communicator& world, MeasureSet& set, const std::vector<Support>& supports,
                             Range owned, Index sources);

/// output.progress: a line on stdout now and then, or rewritten.
std::function<void(const StudyProgress&)> make_study_progress(const std::string& style, bool speaks);

/// Collective; rank 0 prints and writes (`file` is null elsewhere).
void write_distances(const Communicator& world, const OutputOptions& output, const std::string& group, Hdf5Writer* file,
                     const RunRecord& run, const Study& study, const Support& support, const StudySolution& solution,
                     const StoppingOptions& stopping);

}  // namespace hpot
