#include "hpot/solver/acceleration.hpp"

#include "accelerations.hpp"

namespace hpot {
namespace {

class Plain final : public Acceleration {
 public:
  void reset(const FixedPointMap&, Real) override {}
  void advance(FixedPointMap& map, Real) override { map.accept(); }
};

}  // namespace

std::vector<OptionKey> AccelerationOptions::keys() {
  return {
      {"acceleration.type", "auto",
       "anderson: mixes the last sweeps, far fewer of them; momentum: half a copy of the potentials, more sweeps than "
       "anderson; overrelaxation: longer half-steps where the dual gains by them, one array more, hpot-sinkhorn only; "
       "none: plain sweeps; auto: as "
       "many of anderson's sweeps as resources.memory_limit leaves room for; without a limit momentum for barycenters "
       "of "
       "volumes, else anderson",
       check::one_of({"auto", "none", "momentum", "overrelaxation", "anderson"})},
      {"acceleration.memory", "10", "sweeps that anderson mixes; each holds two copies of the potentials",
       check::integer(1, 50)},
  };
}

AccelerationOptions AccelerationOptions::from(const Options& options) {
  return {options.text("acceleration.type"), options.integer("acceleration.memory")};
}

std::unique_ptr<Acceleration> make_acceleration(const AccelerationOptions& options) {
  if (options.type == "anderson") return make_anderson(options.memory);
  if (options.type == "momentum") return make_momentum();
  if (options.type == "overrelaxation") return make_overrelaxation();
  require(options.type == "none", "acceleration.type = " + options.type, "it is not resolved");
  return std::make_unique<Plain>();
}

}  // namespace hpot
