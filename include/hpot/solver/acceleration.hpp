// How the next state follows from a state x and its image y = G(x).
//
//   none      x <- y
//   anderson  x <- y - sum_j gamma_j dG_j, gamma = argmin |F - sum_j gamma_j dF_j|, F = y - x, over the last m differences
//             (Anderson mixing, type II [Walker, Ni 2011, Eq. 2.2]). Memory: 2 m + 3 copies of the state.
//   momentum  x <- y + beta_n (y - y of the sweep before), beta_n = (t_n - 1)/t_(n+1), t_1 = 1,
//             t_(n+1) = (1 + sqrt(1 + 4 t_n^2))/2 [Nesterov 1983], begun anew where the error rises [O'Donoghue, Candes
//             2015]. Memory: x - y of the sweep before in single precision, half a copy.
//   overrelaxation  the map's half-steps go w times as far (FixedPointMap::relax, safeguarded point by point), w from the rate
//             at which the error falls, every 20 sweeps [Lehmann, von Renesse, Sambale, Uschmajew 2021]. Maps that offer it.
//
// Safeguards of anderson and momentum, on the error e of each new state:
//   - e more than doubled in one sweep: the state before is taken up again, as its plain image, with an empty memory.
//   - After the n-th such step, 2^(n-1) - 1 plain sweeps follow before any is mixed, so that a map that cannot be mixed ends
//     with plain sweeps. n counts from the least error of the stage (anderson) or from the last time that momentum lowered
//     the error between two beginnings; a beginning that did not counts as such a step, too.
//   - anderson on maps whose inner product moves: the memory is cleared and the product renewed also when e is above 1.2
//     times the least since the last time, and after 3 m sweeps. With a product of a state long left, mixing stalls.
#pragma once

#include "hpot/solver/fixed_point.hpp"

#include <memory>

namespace hpot {

class Acceleration {
 public:
  virtual ~Acceleration() = default;
  /// Forgets everything: a new map or a new eps, whose error is to come down to `tolerance`. Takes the memory that mixing can
  /// ever need, however soon it ends.
  virtual void reset(const FixedPointMap& map, Real tolerance) = 0;
  /// Sets map's state to the next one. `error` is that of the present state. Collective.
  virtual void advance(FixedPointMap& map, Real error) = 0;
  /// False where `error` meets a stage's tolerance, but the next eps would find potentials too far off. Not asked at the last
  /// eps.
  [[nodiscard]] virtual bool content(Real) const { return true; }
  /// True when advance() would leave a state whose error is not finite for one whose error was.
  [[nodiscard]] virtual bool can_go_back() const { return false; }
  /// What advance() has computed since the last call, in sweeps.
  [[nodiscard]] virtual Index extra_sweeps() { return 0; }
  /// Its memory. Local.
  virtual void archive(Archive&) {}
};

struct AccelerationOptions {
  std::string type = "auto";
  Index memory = 10;

  /// With `automatic` in place of auto.
  [[nodiscard]] AccelerationOptions resolved(const std::string& automatic) const {
    return {type == "auto" ? automatic : type, memory};
  }

  /// For people.
  [[nodiscard]] std::string text() const {
    return type == "anderson" ? type + ", memory " + std::to_string(memory) : type;
  }

  static std::vector<OptionKey> keys();
  static AccelerationOptions from(const Options& options);
};

std::unique_ptr<Acceleration> make_acceleration(const AccelerationOptions& options);

}  // namespace hpot
