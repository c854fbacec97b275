// The weights whose barycenter is closest to a target, on coarser copies of the measures first [cf. Schmitzer 2019, Sect. 3]: the
// weights of one level are where the next one begins, since blurred measures hardly ask for others. A level's eps is the target's or,
// where that is less, its own neighbour cost, below which it does not tell neighbours from one another.
#pragma once

#include "hpot/solver/coordinates.hpp"
#include "hpot/solver/simplex_descent.hpp"

namespace hpot {

/// Measures and target at one resolution, the owned rows.
struct CoordinateLevel {
  Support support;
  OwnedRows rows;
  Field measures;  // b; log b from take_log on
  Field target;
  Real epsilon = 0.0;
};

/// The given level first; coarser ones of grids alone, where settings.schedule asks for them. Takes the data. Collective along rows.
std::vector<CoordinateLevel> make_coordinate_levels(const CoordinateSettings& settings, CoordinateData& data,
                                                    const Communicator& along_rows, Real epsilon);

class CoordinateDescent {
 public:
  /// Goes on where an earlier run was stopped. Collective.
  CoordinateDescent(const ProcessGrid& processes, const CoordinateSettings& settings, Index measures,
                    const FitProgress& progress, Keeper& keeper, CoordinateSolution& solution);

  /// Through all levels, the last one first, whose measures become their logarithms. The outcome, the history of the
  /// finest level and the counts of evaluations go to the solution. Collective.
  void run(std::vector<CoordinateLevel> levels);

  /// Of the last point that was accepted; no weights where there is none, no map where it is none of the finest level's.
  [[nodiscard]] const std::vector<Real>& lambda() const { return lambda_; }
  [[nodiscard]] const Field& log_map() const { return log_map_; }
  [[nodiscard]] Real loss() const { return loss_; }

 private:
  /// The weights it ends with; sweeps go through the levels from the last one to levels[at].
  std::vector<Real> descend(const std::vector<CoordinateLevel>& levels, std::size_t at, const std::vector<Real>& start);
  bool accept(const CoordinateObjective& objective, const SimplexPoint& point, bool finest);

  const ProcessGrid& processes_;
  const CoordinateSettings& settings_;
  const FitProgress& progress_;
  CoordinateSolution& solution_;
  std::vector<Real> equal_;
  std::vector<Real> lambda_;
  Real loss_ = infinity;
  Field log_map_;
  EvaluationRecord record_;  // the last: it reads the others
};

}  // namespace hpot
