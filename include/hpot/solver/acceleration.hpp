// How the next state follows from a state x and its image G(x).
//
//   none      x <- G(x)
//   anderson  x <- G(x) - sum_j gamma_j dG_j, gamma = argmin |F - sum_j gamma_j dF_j|, F = G(x) - x, over the last m
//             differences (Anderson mixing, type II [Walker, Ni 2011, Eq. 2.2]).
//
// Safeguards of anderson, on the error e of each new state:
//   - e more than doubled in one sweep: the state before is taken up again, as its plain image, with an empty memory. After
//     the n-th time since the least error of the stage, 2^(n-1) - 1 plain sweeps follow before any is mixed, so that a map
//     that cannot be mixed ends with plain sweeps.
//   - Maps whose inner product moves: the memory is cleared and the product renewed also when e is above 1.2 times the
//     least since the last time, and after 3 m sweeps. With a product of a state long left, mixing stalls.
#pragma once

#include "hpot/solver/fixed_point.hpp"

#include <memory>

namespace hpot {

class Acceleration {
 public:
  virtual ~Acceleration() = default;
  /// Forgets everything: a new map or a new eps.
  virtual void reset() = 0;
  /// Sets map's state to the next one. `error` is that of the present state. Collective.
  virtual void advance(FixedPointMap& map, Real error) = 0;
  /// True when advance() would leave a state whose error is not finite for one whose error was.
  [[nodiscard]] virtual bool can_go_back() const { return false; }
  /// Its memory. Local.
  virtual void archive(Archive&) {}
};

struct AccelerationOptions {
  std::string type = "anderson";
  Index memory = 10;

  static std::vector<OptionKey> keys();
  static AccelerationOptions from(const Options& options);
};

std::unique_ptr<Acceleration> make_acceleration(const AccelerationOptions& options);

}  // namespace hpot
