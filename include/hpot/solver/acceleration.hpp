// How the next state follows from a state x and its image G(x).
//
//   none      x <- G(x)
//   anderson  x <- G(x) - sum_j gamma_j dG_j, gamma = argmin |F - sum_j gamma_j dF_j|, F = G(x) - x, over the last m
//             differences (Anderson mixing, type II [Walker, Ni 2011, Eq. 2.2]). When the error has doubled since the last
//             state, that state's plain image is taken instead and the memory is cleared.
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
};

struct AccelerationOptions {
  std::string type = "anderson";
  Index memory = 10;

  static std::vector<OptionKey> keys(const std::string& default_type);
  static AccelerationOptions from(const Options& options);
};

std::unique_ptr<Acceleration> make_acceleration(const AccelerationOptions& options);

}  // namespace hpot
