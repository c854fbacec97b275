// A descent that can be stopped at any sweep and goes on later with its bits: it is told the values and gradients that an earlier
// run found, walks that one's way again, and on. L-BFGS has no state that could be kept; what it was told can.
#pragma once

#include "hpot/solver/keeper.hpp"
#include "hpot/solver/stopping.hpp"

namespace hpot {

/// Thrown on all ranks alike.
struct Stopped {
  StopReason reason;
};

/// One step of a fit, for people.
struct FitStep {
  Index number = 0;
  Real loss = 0.0;
  Real error = 0.0;  // see Outcome
  double seconds = 0.0;
};
/// Called on every rank after every step.
using FitProgress = std::function<void(const FitStep& step)>;

class EvaluationRecord {
 public:
  /// Of functions of `variables` numbers, and room for `most` evaluations. `more` visits what else the descent needs to go on.
  /// Where an earlier run has begun, both are read at once. Collective.
  EvaluationRecord(const Communicator& world, const StoppingOptions& stopping, Keeper& keeper, Index variables,
                   Index most, Visit more);

  /// Called before each sweep: a run that is to stop throws Stopped there. Every run makes an evaluation, however late it
  /// begins, unless a signal stops it. Collective.
  void look_around() const;

  /// What `work` gives, a value and its gradient, the same on all ranks, or the next one on record. Stopped where the value is
  /// not finite. Collective.
  Real evaluate(const std::function<Real(std::vector<Real>& gradient)>& work, std::vector<Real>& gradient);

  /// What is on record will not be asked for again: the state that `more` visits is that of the descent.
  void forget();
  void keep();

  /// So many on record, evaluated or told; and by this run.
  [[nodiscard]] Index used() const { return static_cast<Index>(used_); }
  [[nodiscard]] Index made() const { return made_; }
  /// Seconds of all runs.
  [[nodiscard]] double elapsed() const { return seconds_before_ + seconds_here(); }

 private:
  [[nodiscard]] double seconds_here() const;
  void visit(Archive& archive);

  Communicator world_;
  const StoppingOptions& stopping_;
  Keeper& keeper_;
  std::size_t width_;
  Visit more_;
  double begun_;
  double seconds_before_ = 0.0;
  std::vector<Real> values_;  // of every evaluation: value and gradient
  std::size_t used_ = 0;
  Index made_ = 0;
};

}  // namespace hpot
