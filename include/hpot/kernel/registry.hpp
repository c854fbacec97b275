// Kernel operators by name: kernel.type = auto | separable | dense | truncated | stored | heat.
#pragma once

#include "hpot/kernel/cost_matrix.hpp"
#include "hpot/kernel/dense.hpp"
#include "hpot/kernel/heat.hpp"
#include "hpot/kernel/separable.hpp"
#include "hpot/measure/rows.hpp"

namespace hpot {

struct NearCosts;

struct KernelOptions {
  std::string type = "auto";
  Cost cost = SquaredEuclidean{};
  Real window_cut = default_window_cut;        // of the separable and the truncated operator
  bool short_storage = false;                  // costs of a matrix as floats
  std::string matrix_file{};                   // cost.type = matrix, which makes `cost` mean nothing
  std::shared_ptr<const CostMatrix> matrix{};  // once its rows are read
  bool along_surface = false;                  // cost.type = geodesic, or heat, which stands for it
  Real radius = infinity;                      // of a geodesic cost
  std::shared_ptr<const NearCosts> near{};     // of pairs within it (geodesic.hpp), once made; `matrix` of all pairs
  Index heat_steps = default_heat_steps;
  HeatSolver heat_solver = usual_heat_solver();

  static std::vector<OptionKey> keys();
  static KernelOptions from(const Options& options);
  /// `auto` resolved for the cost on such supports.
  [[nodiscard]] std::string resolved_type(const Support& support) const;
  /// Whether costs come from a file.
  [[nodiscard]] bool explicit_cost() const { return !matrix_file.empty(); }
  [[nodiscard]] bool is_heat() const { return type == "heat"; }
  [[nodiscard]] bool is_geodesic() const { return along_surface && !is_heat(); }
  [[nodiscard]] bool ends_at_radius() const { return is_geodesic() && radius < infinity; }
  /// Makes the costs of pairs on a surface, once, for all operators between these rows; nothing where others are asked for.
  /// Collective.
  void make_costs(const Support& support, const OwnedRows& rows);
  /// InputError where the type needs a grid or a surface, or few dimensions, and `support`, that of `measure`, is none, or has
  /// more; or the cost needs directions and it has a point without one. Local.
  void check(const Support& support, const std::string& measure) const;
};

/// InputError where heat cannot spread at this eps (heat_floor), in the unit of the cost. Local.
void check_epsilon(const KernelOptions& options, const Support& support, Real epsilon);

/// Operator between two supports, both grids, both clouds, both one surface or both index sets, whose rows are divided along
/// `source.along_rows`. Collective construction.
std::shared_ptr<KernelOperator> make_kernel(const KernelOptions& options, const Support& source_support,
                                            const OwnedRows& source, const Support& target_support,
                                            const OwnedRows& target);

/// Coordinates of all points of a grid or a cloud, on the device, as the cost takes them: for cosine over their lengths.
Points points_of(const Cost& cost, const Support& support);

/// A cost's value between neighbours, on a grid's finest axis, at a cloud's typical spacing or at a surface's mean edge: the
/// scale that eps is compared with.
Real neighbour_cost(const Cost& cost, const Support& support);

/// The eps below which a coarse copy no longer stands for two supports, each its next finer one: `neighbours`, its own
/// neighbour cost; of clouds doubled as long as a sweep of the finer ones costs hardly more at the larger eps, at most twice as
/// much in all. That is so in heaps apart from one another, where all of a heap is near: potentials of heaps that send their
/// mass to several others are hard to mend at an eps that tells neighbours in a heap apart, and easy at a larger one.
Real finer_below(const Cost& cost, const Support& source, const Support& target, Real neighbours);

}  // namespace hpot
