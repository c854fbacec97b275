#include "hpot/solver/scales.hpp"

#include "hpot/core/error.hpp"
#include "hpot/problem/cost_scale.hpp"

#include <algorithm>
#include <cmath>

namespace hpot {

Real diameter_cost(const Cost& cost, const Grid& source, const Grid& target) {
  return std::visit(
      [&](const auto& c) {
        Real sum = 0.0;
        for (int d = 0; d < source.dimension(); ++d) {
          const Axis& x = source.axes[d];
          const Axis& y = target.axes[d];
          sum +=
              std::max(c.along_axis(x.coordinate(x.n - 1) - y.origin), c.along_axis(y.coordinate(y.n - 1) - x.origin));
        }
        return c.of_sum(sum);
      },
      cost);
}

Real grid_unit(const EpsilonOptions& epsilon, const KernelOptions& kernel, const Grid& grid) {
  const std::string& unit = epsilon.unit;
  if (unit == "cost") return 1.0;
  if (unit == "spacing2") return neighbour_cost(kernel.cost, grid);
  if (unit == "max_cost") return diameter_cost(kernel.cost, grid, grid);
  throw InputError(error_text({}, "epsilon.unit", unit, "a barycenter has no second measure to take a mean cost with",
                              "use cost, spacing2 or max_cost"));
}

Real pair_unit(const EpsilonOptions& epsilon, const Communicator& world, const KernelOptions& kernel, const Grid& grid,
               const TransportProblem& problem) {
  const std::string& unit = epsilon.unit;
  if (unit == "max_cost") return largest_cost(world, problem);
  if (unit == "mean_cost") return mean_cost(problem);
  return grid_unit(epsilon, kernel, grid);
}

OptionKey precision_key() {
  return {"kernel.precision", "auto",
          "of the sweeps' exponentials: mixed (short exponentials of double differences, at most 1e-7 off), double, or "
          "auto: mixed where "
          "stopping.tolerance >= 1e-5. Reported values are always computed in double",
          check::one_of({"auto", "mixed", "double"})};
}

Precision sweep_precision(const Options& options, Real tolerance) {
  constexpr Real room_for_float = 1e-5;
  const std::string& text = options.text("kernel.precision");
  if (text == "auto") return tolerance >= room_for_float ? Precision::mixed : Precision::full;
  return text == "mixed" ? Precision::mixed : Precision::full;
}

}  // namespace hpot
