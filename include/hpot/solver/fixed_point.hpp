// The one loop of HPOT: a fixed-point map, driven through the stages of a schedule.
#pragma once

#include "hpot/core/archive.hpp"
#include "hpot/core/reduction.hpp"
#include "hpot/solver/epsilon_schedule.hpp"
#include "hpot/solver/monitor.hpp"
#include "hpot/solver/stopping.hpp"

#include <vector>

namespace hpot {

class Acceleration;
class Keeper;

/// One sweep of one method. Members are collective over the ranks that share the problem.
class FixedPointMap {
 public:
  virtual ~FixedPointMap() = default;

  virtual void set_epsilon(Real epsilon) = 0;

  /// Computes the image of the present state; returns the state's error (L1, relative to the mass, worst of the batch).
  virtual Real evaluate() = 0;

  /// state <- image.
  virtual void accept() = 0;

  /// The fields that make up state and image, in the same order.
  [[nodiscard]] virtual std::vector<Field> state() const = 0;
  [[nodiscard]] virtual std::vector<Field> image() const = 0;

  /// <x, y_m> for every y_m, in an inner product that fits the problem; one collective.
  [[nodiscard]] virtual std::vector<Real> dots(const std::vector<Field>& x,
                                               const std::vector<std::vector<Field>>& ys) const = 0;

  /// True where that inner product depends on the state. It stays as it is, since an accelerator's memory holds its values,
  /// until renew_inner_product() lets the next evaluate() renew it. Local.
  [[nodiscard]] virtual bool inner_product_moves() const { return false; }
  virtual void renew_inner_product() {}

  /// Half-steps of later evaluations go w times as far where they may, 1 <= w < 2, until the next eps; 1: plain.
  /// std::logic_error on maps that do not offer it. Local.
  virtual void relax(Real w);

  /// What the next evaluate() depends on, besides eps. Local.
  virtual void archive(Archive& archive);
};

/// The same method on every level of a multiscale hierarchy.
class LeveledProblem {
 public:
  virtual ~LeveledProblem() = default;
  /// The map of a level (0 the finest); its state is carried over from the level entered before, if any.
  virtual FixedPointMap& enter(int level) = 0;
};

struct Outcome {
  StopReason reason = StopReason::converged;
  Index iterations = 0;
  Real error = 0.0;
  Real epsilon = 0.0;  // where it stopped
  int level = 0;
  double seconds = 0.0;  // of all runs that it took
};

/// Runs the stages in turn, or what is left of them where `keeper` has a state to go on from; then every later sweep has the
/// bits that it would have had without the stop. Whatever the reason it ends for, the state of the last map is one whose
/// error was measured, and that error is returned; before the last sweep of a run that is stopped the state is kept.
/// Collective over `world`.
Outcome solve(const Communicator& world, LeveledProblem& problem, const std::vector<Stage>& stages,
              const StoppingOptions& stopping, Acceleration& acceleration, const std::vector<Monitor*>& monitors,
              Keeper* keeper = nullptr);

void archive(Archive& archive, Outcome& outcome);

/// Why a solve did not converge and what to do about it; empty when it did. For people.
std::string advice(const Outcome& outcome, const StoppingOptions& stopping, Real target_epsilon, Real error_floor);

}  // namespace hpot
