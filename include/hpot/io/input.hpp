// The measures of a run, read in parallel: rank 0 expands names, owners read, all agree on one grid.
#pragma once

#include "hpot/core/options.hpp"
#include "hpot/core/partition.hpp"
#include "hpot/measure/measure.hpp"
#include "hpot/measure/rows.hpp"

namespace hpot {

struct InputOptions {
  bool normalize = true;
  std::string negative = "error";
  std::string mesh;  // files of surfaces; empty: none
  std::string mask;  // a map on them; empty: none

  static std::vector<OptionKey> keys();
  static InputOptions from(const Options& options);
  /// The parts to solve, with the group of each in the result file: "" or "/positive" and "/negative".
  [[nodiscard]] std::vector<std::pair<NegativeValues, std::string>> parts() const;
};

/// expand_measures on rank 0, known to all. Collective.
std::vector<std::string> expand_everywhere(const Communicator& world, const std::string& list);

struct RawMeasures {
  std::vector<std::string> names;  // of all measures
  Range owned;                     // those read by this rank
  std::vector<Support> supports;   // of the owned
  std::vector<MeasureData> data;   // of the owned: of grids the owned rows, of others all points
  std::vector<std::string>
      sha256;  // of all: of the values as read, float64 little-endian, row-major; of clouds in Morton
               // order, the coordinates before them
  std::vector<std::string> further_names;  // what else the run reads: a surface, a cost matrix, where points begin
  /// Of a cost matrix: of the sums over rows of each byte of their digests, the same on any number of ranks.
  std::vector<std::string> further_sha256;

  /// `measures`, without what they read beside them, as what else this run reads.
  void add_further(const RawMeasures& measures);
  /// Those of the points of owned measure k that are here.
  [[nodiscard]] OwnedRows rows(std::size_t k, const Communicator& along_rows) const;
  /// Names and digests of all that the run reads.
  [[nodiscard]] std::vector<std::string> all_names() const;
  [[nodiscard]] std::vector<std::string> all_sha256() const;
};

/// The surface of input.mesh, or the grid of the first measure, from its header where the format has one; InputError where it
/// is a cloud. Collective.
Support read_common_support(const Communicator& world, const InputOptions& input,
                            const std::vector<std::string>& names);

/// The supports of all measures: the surface, or that of the first where it is a grid, from its header alone; clouds are
/// read. Collective.
std::vector<Support> read_supports(const Communicator& world, const InputOptions& input,
                                   const std::vector<std::string>& names);
/// The same for measures on the rows and columns of a cost matrix: any grids, of which only the number of points counts.
std::vector<Support> read_index_sets(const Communicator& world, const std::vector<std::string>& names);

/// Reads measures [owned) of `names`, of grids by slabs; every measure must be read somewhere and match the first of all
/// `supports`, or, of index sets, have as many values as its own, or the only one, of them; where these are all that
/// read_supports gave, clouds share their points with them; of maps on a surface the values of its vertices are kept, and it
/// counts as read. Collective.
RawMeasures read_measures(const ProcessGrid& processes, const std::vector<std::string>& names, Range owned,
                          const std::vector<Support>& supports);

struct MeasureSet {
  std::vector<std::vector<Real>> weights;  // of the owned, as RawMeasures::data
  std::vector<Real> masses;                // of all, before normalisation
  Index masked = 0;                        // NaN values, over all measures
  Index clipped = 0;                       // negative values that count as zero, over all measures
};

/// One part of every measure of `raw`, in the arrays of `data`: a copy of raw.data, or raw.data itself moved in where no
/// other part is needed. Collective.
MeasureSet make_measures(const ProcessGrid& processes, const RawMeasures& raw, std::vector<MeasureData> data,
                         NegativeValues negative, bool normalize);

/// InputError where the supports are one surface of several components, and two measures have different shares of their mass
/// on one: no mass goes between components. Collective.
void check_components(const Communicator& world, const RawMeasures& raw, const MeasureSet& set);

}  // namespace hpot
