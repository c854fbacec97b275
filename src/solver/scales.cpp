#include "hpot/solver/scales.hpp"

#include "hpot/core/error.hpp"
#include "hpot/problem/cost_scale.hpp"

#include <algorithm>
#include <cmath>
#include <sstream>

namespace hpot {

Real diameter_cost(const Cost& cost, const Support& source, const Support& target) {
  constexpr Real opposite_directions = 2.0;
  if (source.mesh() != nullptr) return std::pow(extent_along_edges(*source.mesh()), 2);
  if (is_of_directions(cost)) return opposite_directions;
  return std::visit(
      [&](const auto& c) {
        Real sum = 0.0;
        for (int d = 0; d < source.dimension(); ++d) {
          const auto [low_x, high_x] = source.extent(d);
          const auto [low_y, high_y] = target.extent(d);
          sum += std::max(c.along_axis(high_x - low_y), c.along_axis(high_y - low_x));
        }
        return c.of_sum(sum);
      },
      cost);
}

Real support_unit(const EpsilonOptions& epsilon, const KernelOptions& kernel, const Support& support) {
  const std::string& unit = epsilon.unit;
  if (unit == "cost") return 1.0;
  if (unit == "spacing2") {
    if (kernel.explicit_cost())
      throw InputError(
          error_text({}, "epsilon.unit", unit, "a cost matrix knows no spacing", "use cost, max_cost or mean_cost"));
    return neighbour_cost(kernel.cost, support);
  }
  if (unit == "max_cost") return largest_cost_of(kernel, support, support);
  throw InputError(error_text({}, "epsilon.unit", unit, "a barycenter has no second measure to take a mean cost with",
                              "use cost, spacing2 or max_cost"));
}

Real largest_cost_of(const KernelOptions& kernel, const Support& source, const Support& target) {
  if (kernel.explicit_cost()) return kernel.matrix->largest;
  return std::min(diameter_cost(kernel.cost, source, target), kernel.radius * kernel.radius);
}

Real pair_unit(const EpsilonOptions& epsilon, const Communicator& world, const KernelOptions& kernel,
               const Support& support, const TransportProblem& problem) {
  const std::string& unit = epsilon.unit;
  const KnownCosts known = problem.kernel->known_costs();
  if (unit == "mean_cost" && known != KnownCosts::all)
    throw InputError(error_text({}, "epsilon.unit", unit, "not all pairs of points have a known cost",
                                "use cost, spacing2 or max_cost"));
  if (unit == "max_cost" && known != KnownCosts::none) return largest_cost(world, problem);
  if (unit == "mean_cost") return mean_cost(problem);
  return support_unit(epsilon, kernel, support);
}

void require_reachable(const KernelOptions& kernel, Real lower_cost) {
  const Real largest = kernel.radius * kernel.radius;
  if (lower_cost <= largest * (1.0 + 1e-9)) return;
  std::ostringstream radius;
  radius << kernel.radius;
  throw InputError(error_text({}, "cost.radius", radius.str(),
                              "no balanced plan exists: some mass has not enough of the others' within this distance",
                              "raise it, set it to none, or set kl or tv penalties"));
}

OptionKey precision_key() {
  return {"kernel.precision", "auto",
          "of the sweeps' exponentials: mixed (short exponentials of double differences, at most 1e-7 off), double, or "
          "auto: mixed where "
          "stopping.tolerance >= 1e-5 (of coordinates and dictionaries: double). Reported values are always computed "
          "in double",
          check::one_of({"auto", "mixed", "double"})};
}

bool floats_suffice(const Options& options, Real tolerance) {
  constexpr Real part = 0.1, rounding = 0x1p-24;
  return options.text("cost.storage") == "auto" && options.text("epsilon.unit") == "max_cost" &&
         rounding <= part * tolerance * options.real("epsilon.target");
}

Precision sweep_precision(const Options& options, Real tolerance) {
  constexpr Real room_for_float = 1e-5;
  const std::string& text = options.text("kernel.precision");
  if (text == "auto") return tolerance >= room_for_float ? Precision::mixed : Precision::full;
  return text == "mixed" ? Precision::mixed : Precision::full;
}

}  // namespace hpot
