// Kernel operators by name: kernel.type = auto | separable | dense | truncated | stored.
#pragma once

#include "hpot/kernel/cost_matrix.hpp"
#include "hpot/kernel/dense.hpp"
#include "hpot/kernel/separable.hpp"
#include "hpot/measure/rows.hpp"

namespace hpot {

struct KernelOptions {
  std::string type = "auto";
  Cost cost = SquaredEuclidean{};
  Real window_cut = default_window_cut;        // of the separable and the truncated operator
  bool short_storage = false;                  // costs of a matrix as floats
  std::string matrix_file{};                   // cost.type = matrix, which makes `cost` mean nothing
  std::shared_ptr<const CostMatrix> matrix{};  // once its rows are read

  static std::vector<OptionKey> keys();
  static KernelOptions from(const Options& options);
  /// `auto` resolved for the cost on such supports.
  [[nodiscard]] std::string resolved_type(const Support& support) const;
  /// Whether costs come from a file.
  [[nodiscard]] bool explicit_cost() const { return !matrix_file.empty(); }
  /// InputError where the type needs a grid, or few dimensions, and `support`, that of `measure`, is none, or has more; or the
  /// cost needs directions and it has a point without one. Local.
  void check(const Support& support, const std::string& measure) const;
};

/// Operator between two supports, both grids, both clouds or both index sets, whose rows are divided along `source.along_rows`. Collective
/// construction.
std::shared_ptr<KernelOperator> make_kernel(const KernelOptions& options, const Support& source_support,
                                            const OwnedRows& source, const Support& target_support,
                                            const OwnedRows& target);

/// Coordinates of all points of a grid or a cloud, on the device, as the cost takes them: for cosine over their lengths.
Points points_of(const Cost& cost, const Support& support);

/// A cost's value between neighbours, on a grid's finest axis or at a cloud's typical spacing: the scale that eps is compared
/// with.
Real neighbour_cost(const Cost& cost, const Support& support);

}  // namespace hpot
