// Who keeps the state of a solve, so that a run that is stopped or killed goes on later with the bits that it would have had.
#pragma once

#include "hpot/core/archive.hpp"
#include "hpot/core/communicator.hpp"

namespace hpot {

/// A run is a sequence of pieces of work, each of them one solve; the sequence is the same in every run of one
/// configuration. Members are collective. This class keeps nothing; io/checkpoint.hpp does.
class Keeper {
 public:
  virtual ~Keeper() = default;

  /// Runs `work`, whose results `results` visits, unless they are on record. `work` returns whether it is complete; if not,
  /// a later run starts it again from the last state kept.
  virtual void once(const std::function<bool()>& work, const Visit& results);

  /// True, and `state` visited, where the present piece of work was begun by an earlier run.
  virtual bool resume(const Visit& state);

  /// True on the ranks that hold it is time to keep the state.
  [[nodiscard]] virtual bool due() const { return false; }
  virtual void keep(const Visit& state);
};

}  // namespace hpot
