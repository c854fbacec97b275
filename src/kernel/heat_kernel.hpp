// K = 4 pi t (A^-1 M)^(n-1) A^-1, A = M + (t/n) L (heat.hpp) at one eps, in two ways: by a factor of A, on the host; and by
// iterations that run wherever kernels do.
#pragma once

#include "hpot/core/sparse_cholesky.hpp"
#include "hpot/measure/mesh.hpp"

#include <memory>
#include <vector>

namespace hpot {

/// What of a surface makes its heat.
struct HeatMatrices {
  std::vector<MatrixEntry> stiffness;  // L, its lower triangle
  std::vector<Real> mass;              // M
  explicit HeatMatrices(const Mesh& mesh);
};

class HeatKernel {
 public:
  virtual ~HeatKernel() = default;
  /// u(k, :) <- K u(k, :), u >= 0, every value to its own relative accuracy.
  virtual void apply(const Field& u) const = 0;
  /// The same of u of any sign, to the accuracy of K |u|.
  virtual void apply_signed(const Field& u) const = 0;
};

/// Solves with a sparse factor; the vertices' maps are divided over threads.
std::unique_ptr<HeatKernel> make_heat_factor(const HeatMatrices& matrices, Index steps, Real epsilon);

/// Jacobi's iteration for A x = b, x <- D^-1 (b + N x), D the diagonal of A, N = D - A >= 0: the series sum over l of G^l D^-1 b,
/// G = D^-1 N, over paths of l edges, without a difference anywhere. It grows to x from below; increments d that are once below
/// tau x everywhere stay so, since G d <= tau G x <= tau x, and what is left is tau times the mean length of the paths to a
/// vertex, at most: with tau = 1e-14 some 1e-12. About log tau/log(1 - min M/D) iterations, or as many as a vertex is edges
/// away from the nearest with b > 0.
std::unique_ptr<HeatKernel> make_heat_iterations(const HeatMatrices& matrices, Index steps, Real epsilon);

}  // namespace hpot
