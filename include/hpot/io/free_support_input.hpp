// What a barycenter of clouds needs of its input besides the measures: their sizes, and where its points begin
// (barycenter.points, barycenter.start, barycenter.seed).
#pragma once

#include "hpot/core/partition.hpp"
#include "hpot/io/input.hpp"
#include "hpot/solver/work_plan.hpp"

namespace hpot {

class FreeSupportInput {
 public:
  /// Reads the measures and the start for their sizes, each on one rank. InputError unless all are clouds of one dimension, and
  /// where more points are wanted than there are. Collective.
  FreeSupportInput(const Communicator& world, const Options& options, const std::vector<std::string>& names);

  [[nodiscard]] const CloudSizes& sizes() const { return sizes_; }
  /// With which read_measures compares: of the same dimension, without points.
  [[nodiscard]] Support any_point() const;

  /// Reads the start where it is a file; its name and digest go to what else was read beside the measures. Collective.
  void read_start(const Communicator& world, RawMeasures& measures);

  /// The points in Morton order and their weights, of mass 1: those of the file, or a sample of the measures `raw` with
  /// `weights` and `lambda` of the owned ones (cloud_sample.hpp), equally weighted. The same on any number of ranks.
  /// Collective.
  [[nodiscard]] CloudData start(const ProcessGrid& processes, const RawMeasures& raw,
                                const std::vector<std::vector<Real>>& weights, const std::vector<Real>& lambda) const;

 private:
  const Options& options_;
  CloudSizes sizes_;
  std::string file_;  // empty: a sample
  CloudData of_file_;
};

}  // namespace hpot
