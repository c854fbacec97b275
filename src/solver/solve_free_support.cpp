#include "hpot/core/field.hpp"
#include "hpot/solver/solve_barycenter.hpp"

#include <algorithm>

namespace hpot {
namespace {

/// The factor that epsilon.unit stands for, for clouds: that of the closest one, and of a box around all.
Real unit_of(const EpsilonOptions& epsilon, const KernelOptions& kernel, const FreeSupportData& data, Real extent,
             const Communicator& along_batches) {
  if (epsilon.unit == "max_cost") return extent * extent;
  if (epsilon.unit == "cost") return 1.0;
  Real largest_inverse = 0.0;
  for (const PointCloud& cloud : data.clouds) {
    const Real cost = neighbour_cost(kernel.cost, cloud);
    if (cost > 0.0) largest_inverse = std::max(largest_inverse, 1.0 / cost);
  }
  largest_inverse = along_batches.max(largest_inverse);
  require(largest_inverse > 0.0, "epsilon.unit = " + epsilon.unit, "it is zero for these measures",
          "use epsilon.unit = cost");
  return 1.0 / largest_inverse;
}

class OneLevel final : public LeveledProblem {
 public:
  explicit OneLevel(FixedPointMap& map) : map_(map) {}
  FixedPointMap& enter(int) override { return map_; }

 private:
  FixedPointMap& map_;
};

/// Steps of positions, counted in the sweeps that they took.
class CountedSteps final : public Acceleration {
 public:
  CountedSteps(const FreeSupportMap& map, std::unique_ptr<Acceleration> steps) : map_(map), steps_(std::move(steps)) {}
  void reset(const FixedPointMap& map, Real tolerance) override { steps_->reset(map, tolerance); }
  void advance(FixedPointMap& map, Real error) override {
    if (!map_.cut_short()) steps_->advance(map, error);
  }
  [[nodiscard]] bool can_go_back() const override { return steps_->can_go_back(); }
  [[nodiscard]] Index extra_sweeps() override { return map_.last_sweeps() - 1; }
  void archive(Archive& archive) override { steps_->archive(archive); }

 private:
  const FreeSupportMap& map_;
  std::unique_ptr<Acceleration> steps_;
};

}  // namespace

BarycenterSolution solve_free_support(const ProcessGrid& processes, const BarycenterSettings& settings,
                                      FreeSupportData data, const std::vector<Monitor*>& monitors, Keeper* keeper) {
  data.debiased = settings.debiased;
  TransportSettings pair = settings.of_pair();
  pair.acceleration = settings.acceleration_on(data.start);
  const Real extent = extent_of(data, processes.along_batches());
  const Real unit = unit_of(settings.epsilon, settings.kernel, data, extent, processes.along_batches());
  FreeSupportMap map(processes, pair, std::move(data));
  OneLevel problem(map);
  CountedSteps steps(map, make_acceleration({pair.acceleration.type == "none" ? "none" : "momentum"}));
  BarycenterSolution solution{{}, settings.epsilon.target * unit, map.rows(), {}, settings.debiased, {}};
  solution.outcome = solve(processes.world(), problem, {{0, solution.target_epsilon, settings.stopping.tolerance}},
                           settings.stopping, steps, monitors, keeper);
  solution.outcome.iterations = map.sweeps() + (map.cut_short() ? map.last_sweeps() : 0);
  solution.free = map.result();
  solution.result.barycenter = map.weight();
  solution.result.mass = mass(map.rows(), map.weight())[0];
  BarycenterErrors& errors = solution.result.errors;
  for (const TransportValues& values : solution.free.values) {
    errors.marginal.push_back(std::max(values.residual_source, values.residual_target));
    errors.floor = std::max(errors.floor, values.error_floor);
  }
  if (settings.debiased) {
    errors.self_transport = errors.marginal.back();
    errors.marginal.pop_back();
  }
  return solution;
}

}  // namespace hpot
