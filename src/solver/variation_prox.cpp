#include "hpot/solver/variation_prox.hpp"

#include "hpot/core/field.hpp"

#include <algorithm>
#include <cmath>

namespace hpot {
namespace {

constexpr int most_steps = 200;       // in one sweep
constexpr int steps_to_a_check = 10;  // of the error

}  // namespace

VariationProx::VariationProx(const OwnedRows& rows, const GridSteps& steps, Real tau, const Field& w)
    : slab_(rows, steps), reference_({}, rows.partition.global_n()), tau_(tau), w_(w) {
  const Index n = rows.local_n();
  if (static_cast<Index>(w_.extent(0)) != steps.dimension || static_cast<Index>(w_.extent(1)) != n)
    w_ = make_field("hpot::VariationProx::w", steps.dimension, n);
  y_ = make_field("hpot::VariationProx::y", steps.dimension, n);
  project(tau_, w_);
  Kokkos::deep_copy(y_, w_);
}

void VariationProx::archive(Archive& archive) {
  archive.values("variation", w_);
  archive.values("variation_ahead", y_);
  archive.number("variation_t", t_);
}

Variation VariationProx::measure(const ConstField& log_ratio) const {
  return variation_of(slab_, reference_.q, log_ratio, tau_, w_);
}

Real VariationProx::error(const Variation& variation, const ConstField& log_ratio, Real epsilon) const {
  const Real z = variation.gap / (epsilon * mass_of_ratio(slab_.rows, reference_, log_ratio));
  return 0.25 * z + std::sqrt(0.0625 * z * z + z);
}

void VariationProx::apply(const Field& log_ratio, Real epsilon, Real wanted, const Field& scratch) {
  for (int step = 0; step < most_steps; ++step) {
    if (step % steps_to_a_check == 0) {
      add_divergence(slab_, log_ratio, w_, epsilon, scratch);
      const Real left = error(measure(scratch), scratch, epsilon);
      if (left <= wanted || !std::isfinite(left)) break;
    }
    add_divergence(slab_, log_ratio, y_, epsilon, scratch);
    const bool wrong_way = ascend(slab_, reference_.q, scratch, epsilon, tau_, y_, w_) > 0.0;
    const Real next = wrong_way ? 1.0 : 0.5 * (1.0 + std::sqrt(1.0 + 4.0 * t_ * t_));
    go_on(wrong_way ? 0.0 : (t_ - 1.0) / next, y_, w_);
    t_ = next;
  }
  add(log_ratio, epsilon);
}

}  // namespace hpot
