#include "conjugate_gradients.hpp"

#include "hpot/core/field.hpp"

#include <cmath>

namespace hpot {
namespace {

constexpr Index most_gradient_steps = 200;

}  // namespace

Index conjugate_gradients(const DualHessian& hessian, const DualPreconditioner& preconditioner, const Field& x,
                          const Field& z, Real reduction) {
  const OwnedRows& rows = hessian.rows();
  const auto unset = [&](const char* label) { return make_unset_field(label, 1, rows.local_n()); };
  const Field r = unset("hpot::Newton::residual");
  hessian.right_hand_side(r);
  const Field q = unset("hpot::Newton::product");
  Kokkos::deep_copy(x, 0.0);
  preconditioner.apply(r, z);
  const Field p = copy_of(z);
  Real rz = dot(rows, r, z);
  const Real enough = reduction * absolute_sum(rows, r);
  for (Index step = 1; step <= most_gradient_steps; ++step) {
    hessian.apply(p, q);
    const Real curvature = dot(rows, p, q);
    const Real alpha = curvature > 0.0 ? rz / curvature : infinity;
    if (!(rz > 0.0 && std::isfinite(alpha))) return step;  // what is left lies in the kernel of S
    combine(alpha, p, 1.0, x);
    combine(-alpha, q, 1.0, r);
    if (!(absolute_sum(rows, r) > enough)) return step;
    preconditioner.apply(r, z);
    const Real next = dot(rows, r, z);
    combine(1.0, z, next / rz, p);  // p = z + (next/rz) p
    rz = next;
  }
  return most_gradient_steps;
}

}  // namespace hpot
