#include "hpot/kernel/truncated.hpp"

#include "truncated_clouds.hpp"

#include <type_traits>

namespace hpot {

std::unique_ptr<TruncatedKernel> make_truncated_operator(const Cost& cost, const Points& source, const Points& target,
                                                         Range source_rows, Range target_rows, Real cut) {
  const int dimension = static_cast<int>(source.extent(1));
  return std::visit(
      [&](const auto& c) -> std::unique_ptr<TruncatedKernel> {
        using C = std::decay_t<decltype(c)>;
        // axes of zeros cost less than the roots and powers of the others
        const int axes = std::is_same_v<C, SquaredEuclidean> ? dimension : truncated_most_dimensions;
        TiledClouds clouds = make_tiled_clouds(source, target, source_rows, target_rows, axes);
        if constexpr (std::is_same_v<C, SquaredEuclidean>) {
          if (dimension == 1) return make_truncated_squared<1>(std::move(clouds), cut);
          if (dimension == 2) return make_truncated_squared<2>(std::move(clouds), cut);
          return make_truncated_squared<3>(std::move(clouds), cut);
        } else {
          return make_truncated_any(c, std::move(clouds), cut);
        }
      },
      cost);
}

}  // namespace hpot
