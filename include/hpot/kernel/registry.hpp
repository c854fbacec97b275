// Kernel operators by name: kernel.type = auto | separable | dense | stored.
#pragma once

#include "hpot/core/reduction.hpp"
#include "hpot/kernel/separable.hpp"

namespace hpot {

struct KernelOptions {
  std::string type = "auto";
  Cost cost = SquaredEuclidean{};
  Real window_cut = default_window_cut;  // of the separable operator

  static std::vector<OptionKey> keys();
  static KernelOptions from(const Options& options);
  /// `auto` resolved for the cost.
  [[nodiscard]] std::string resolved_type() const;
};

/// Rows of a grid in whole planes (images: eight rows at a time; one dimension: blocks of 64 points). The first part is no
/// smaller than any other.
Partition divide_rows(const Grid& grid, int parts);
OwnedRows own_rows(const Grid& grid, const Communicator& along_rows);

/// Operator between two grids whose rows are divided along `source.along_rows`. Collective construction.
std::shared_ptr<KernelOperator> make_kernel(const KernelOptions& options, const Grid& source_grid,
                                            const OwnedRows& source, const Grid& target_grid, const OwnedRows& target);

/// A cost's value between neighbours on the grid's finest axis: the scale that eps is compared with.
Real neighbour_cost(const Cost& cost, const Grid& grid);

}  // namespace hpot
