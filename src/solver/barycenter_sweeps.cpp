#include "hpot/solver/barycenter_sweeps.hpp"

#include "hpot/core/field.hpp"
#include "hpot/problem/map_distance.hpp"
#include "hpot/problem/sweep_adjoint.hpp"
#include "hpot/problem/transport_problem.hpp"
#include "hpot/solver/barycenter.hpp"

#include <Kokkos_Profiling_ScopedRegion.hpp>

#include <algorithm>
#include <cmath>
#include <utility>

namespace hpot {
namespace {

/// s/eps of points with no mass of a measure within a cost's radius, in place of infinity: p is 0 there but for lambda_k < 1e-3 or so,
/// and lambda_k goes to 0 without a jump. It does not move with lambda.
constexpr Real beyond_radius = 1e5;

}  // namespace

BarycenterSweeps::BarycenterSweeps(BarycenterProblem problem, std::vector<Real> epsilons, Index places,
                                   std::function<void()> before_sweep, SweepGradient which)
    : problem_(std::move(problem)),
      epsilons_(std::move(epsilons)),
      which_(which),
      recall_(states(), which == SweepGradient::implicit ? states() : places),
      before_sweep_(std::move(before_sweep)),
      q_(problem_.log_reference, problem_.rows.partition.global_n()) {
  const Index measures = static_cast<Index>(problem_.log_weight.extent(0));
  const Index n = problem_.rows.local_n();
  const Index n_debiased = problem_.debiased ? n : 0;
  const Index at_once =
      BarycenterMap::measures_at_once(measures, problem_.rows.partition.global_n(), problem_.rows.along_rows.size());
  for (Field* field : {&z_, &g_}) *field = make_unset_field("hpot::BarycenterSweeps::adjoint", measures, n);
  for (Field* field : {&h_, &a_, &t_}) *field = make_unset_field("hpot::BarycenterSweeps::chunk", at_once, n);
  for (Field* field : {&rho_, &log_map_, &product_}) *field = make_field("hpot::BarycenterSweeps::map", 1, n);
  for (Field* field : {&delta_, &log_d_}) *field = make_field("hpot::BarycenterSweeps::log_d", 1, n_debiased);
  const Index held = which == SweepGradient::implicit ? 1 : std::min(places, states());
  for (Index p = 0; p < held; ++p)
    places_.push_back({0, make_unset_field("hpot::BarycenterSweeps::half_steps", measures, n),
                       make_unset_field("hpot::BarycenterSweeps::log_ratio", 1, n),
                       make_unset_field("hpot::BarycenterSweeps::log_d", 1, n_debiased)});
}

void BarycenterSweeps::prepare(Real epsilon) {
  if (problem_.epsilon == epsilon && prepared_) return;
  problem_.epsilon = epsilon;
  problem_.kernel->prepare(epsilon);
  prepared_ = true;
}

BarycenterSweeps::State BarycenterSweeps::free_place(Index sweep) {
  State place = free_.back();
  free_.pop_back();
  place.sweep = sweep;
  return place;
}

void BarycenterSweeps::for_chunks(const std::function<void(Index first, Index count)>& work) const {
  const Index measures = static_cast<Index>(z_.extent(0));
  const Index at_once = static_cast<Index>(h_.extent(0));
  for (Index k = 0; k < measures; k += at_once) work(k, std::min(at_once, measures - k));
}

void BarycenterSweeps::take_log_d(const State& state, Real epsilon, const Field& log_d) const {
  Kokkos::deep_copy(log_d, 0.0);
  if (problem_.debiased && state.sweep > 0) combine(eps(state.sweep) / epsilon, state.log_d, 0.0, log_d);
}

void BarycenterSweeps::take_log_potential(const State& before, Index first, Index count, Real epsilon,
                                          const Field& h) const {
  if (before.sweep > 0) {
    add_log_potential(q_, entries(before.s, first, count), before.log_ratio, eps(before.sweep), epsilon, h);
  } else {
    Kokkos::deep_copy(h, 0.0);
    add_log_reference(q_, h, 1.0, h);
  }
}

void BarycenterSweeps::take_log_data(const State& before, Index first, Index count, Real epsilon, const Field& h,
                                     const Field& g) const {
  take_log_potential(before, first, count, epsilon, h);
  problem_.kernel->softmin_spoiling(Side::target, h, g);
  add_log_weight(entries(problem_.log_weight, first, count), g, epsilon, h);
}

/// One sweep: from f = 0, or coarser sweeps, where `before` is no state. Both may share their fields.
void BarycenterSweeps::make(const State& before, const State& after) {
  const Kokkos::Profiling::ScopedRegion region("hpot: sweep");
  if (before_sweep_) before_sweep_();
  const Real epsilon = eps(after.sweep);
  prepare(epsilon);
  const bool carried = before.sweep == 0 && coarser_ != nullptr;
  if (carried) prepare_between(epsilon);
  for_chunks([&](Index first, Index count) {
    const Field s = entries(after.s, first, count);
    if (carried) return carry(first, count, s);
    const Field h = entries(h_, 0, count);
    take_log_data(before, first, count, epsilon, h, entries(a_, 0, count));
    problem_.kernel->softmin_spoiling(Side::source, h, s);
  });
  if (problem_.kernel->known_costs() == KnownCosts::near) bound_unreached({}, epsilon, 0.0, beyond_radius, after.s);
  // r = D - sum_k lambda_k s_k/eps - c
  take_log_d(before, epsilon, log_d_);
  const Real largest = problem_.along_batches.max(largest_exponent(problem_.lambda, after.s, epsilon));
  Kokkos::deep_copy(after.log_ratio, 0.0);
  add_log_mean(problem_.lambda, after.s, epsilon, quantum_for(problem_.rows.along_rows.max(largest)), after.log_ratio);
  problem_.along_batches.sum(after.log_ratio);
  if (problem_.debiased) combine(1.0, log_d_, 1.0, after.log_ratio);
  add_log_reference(q_, after.log_ratio, 1.0, product_);
  add_constant(after.log_ratio, -log_mass(problem_.rows, product_));
  if (!problem_.debiased) return;
  // D <- (D + r + T/eps)/2
  const Field h = entries(h_, 0, 1);
  const Field transform = entries(a_, 0, 1);
  add_log_reference(q_, log_d_, 1.0, h);
  problem_.kernel->softmin_spoiling(Side::source, h, transform);
  debias(log_d_, after.log_ratio, transform, epsilon, after.log_d);
}

void BarycenterSweeps::hold_before(Index sweep) {
  while (held_.back().sweep < sweep - 1) {
    const State from = held_.back();
    const Index free = static_cast<Index>(places_.size() - held_.size()) - 1;  // one is for last_
    const Index to = from.sweep + recall_.distance(sweep - 1 - from.sweep, free);
    State next = free_place(from.sweep + 1);
    make(from, next);
    while (next.sweep < to) {
      const State before = next;
      ++next.sweep;
      make(before, next);
    }
    held_.push_back(next);
  }
}

const Field& BarycenterSweeps::forward(const std::vector<Real>& lambda) {
  problem_.lambda = lambda;
  free_ = places_;
  held_.clear();
  if (coarser_ != nullptr) coarser_->forward(lambda);
  last_ = free_place(1);
  make({}, last_);
  if (which_ == SweepGradient::implicit) {
    while (last_.sweep < states()) {
      const State before = last_;
      ++last_.sweep;
      make(before, last_);
    }
  } else if (states() > 1) {
    held_.push_back(last_);
    hold_before(states());
    last_ = free_place(states());
    make(held_.back(), last_);
  }
  add_log_reference(q_, last_.log_ratio, 1.0, log_map_);
  return log_map_;
}

std::vector<Real> BarycenterSweeps::reverse(const ConstField& m, const Field& slope) {
  slope_ = slope;
  if (slope_.extent(0) > 0) Kokkos::deep_copy(slope_, 0.0);
  gradient_.assign(z_.extent(0), 0.0);
  g_serves_ = false;
  Kokkos::deep_copy(rho_, m);
  Kokkos::deep_copy(z_, 0.0);
  Kokkos::deep_copy(delta_, 0.0);
  add_gradient();
  const bool implicit = which_ == SweepGradient::implicit;
  implicit ? stay_at_last() : walk_back();
  if (slope_.extent(0) > 0) {
    prepare(eps(last_.sweep));
    for_chunks([&](Index first, Index count) { step_back_to_data(implicit ? last_ : State{}, first, count); });
  }
  return gradient_;
}

void BarycenterSweeps::walk_back() {
  while (last_.sweep > 1) {
    hold_before(last_.sweep);
    const State before = held_.back();
    step_back(before);
    held_.pop_back();
    free_.push_back(last_);
    last_ = before;
    add_gradient();
  }
  if (coarser_ != nullptr) go_on_in_coarser();
}

void BarycenterSweeps::stay_at_last() {
  constexpr Real enough = 1e-8;
  const auto size = [&] { return problem_.along_batches.max(largest_mean_size(problem_.rows, log_map_, z_)); };
  const Real first = size();
  for (Index sweep = 1; sweep < states(); ++sweep) {
    step_back(last_);
    add_gradient();
    if (size() <= enough * first) return;
  }
}

/// G_k -= <p rho, s_k>/eps,  z_k = phi_k - lambda_k rho/eps
void BarycenterSweeps::add_gradient() {
  const Real epsilon = eps(last_.sweep);
  add_log_reference(q_, last_.log_ratio, 1.0, product_);
  times_map(product_, rho_, product_);
  const std::vector<Real> shares = common_dots(problem_.rows, product_, last_.s);
  for (std::size_t k = 0; k < gradient_.size(); ++k) gradient_[k] -= shares[k] / epsilon;
  subtract_shares(problem_.lambda, rho_, epsilon, z_);
}

/// y = -exp((g - t)/eps) mean[z],  A += eps y
void BarycenterSweeps::step_back_to_data(const State& before, Index first, Index count) {
  const Real epsilon = eps(last_.sweep);
  const Field h = entries(h_, 0, count);
  const Field y = entries(a_, 0, count);
  const Field t = entries(t_, 0, count);
  const Field g = entries(g_, first, count);
  add_log_potential(q_, entries(last_.s, first, count), last_.log_ratio, epsilon, epsilon, h);
  problem_.kernel->average(Side::target, h, entries(z_, first, count), y);
  if (g_serves_) {
    Kokkos::deep_copy(t, g);
  } else {
    problem_.kernel->softmin_spoiling(Side::target, h, t);
  }
  if (which_ == SweepGradient::implicit) {
    Kokkos::deep_copy(g, t);
  } else {
    take_log_potential(before, first, count, epsilon, h);
    problem_.kernel->softmin_spoiling(Side::target, h, g);
  }
  close_data_side(g, t, epsilon, y);
  if (slope_.extent(0) > 0) combine(epsilon, y, 1.0, entries(slope_, first, count));
}

void BarycenterSweeps::step_back(const State& before) {
  const Kokkos::Profiling::ScopedRegion region("hpot: sweep back");
  if (before_sweep_) before_sweep_();
  const Real epsilon = eps(last_.sweep);
  const Real eps_before = eps(before.sweep);
  prepare(epsilon);
  for_chunks([&](Index first, Index count) {
    step_back_to_data(before, first, count);
    // phi = -exp((f_before - s)/eps - r_before) mean[y]
    const Field h = entries(h_, 0, count);
    const Field z = entries(z_, first, count);
    add_log_weight(entries(problem_.log_weight, first, count), entries(g_, first, count), epsilon, h);
    problem_.kernel->average(Side::source, h, entries(a_, 0, count), z);
    close_map_side(entries(before.s, first, count), before.log_ratio, eps_before, entries(last_.s, first, count),
                   epsilon, z);
  });
  g_serves_ = eps_before == epsilon;
  if (problem_.debiased) step_back_log_d(before);
  // rho = eps sum_k phi_k + delta/2
  sum_entries(std::vector<Real>(z_.extent(0), eps_before), z_, rho_);
  problem_.along_batches.sum(rho_);
  if (problem_.debiased) combine(0.5, delta_, 1.0, rho_);
}

/// delta <- (rho + delta/2) exp(r - r_before) - exp(D - U/eps - r_before) mean[delta]/2, in the unit of the eps before
void BarycenterSweeps::step_back_log_d(const State& before) {
  const Real epsilon = eps(last_.sweep);
  const Field h = entries(h_, 0, 1);
  const Field u = entries(a_, 0, 1);
  const Field mean = entries(t_, 0, 1);
  take_log_d(before, epsilon, log_d_);
  add_log_reference(q_, log_d_, 1.0, h);
  problem_.kernel->softmin_spoiling(Side::source, h, u);  // T
  add_self_transport(q_, last_.log_ratio, u, epsilon, h);
  problem_.kernel->average(Side::target, h, delta_, mean);
  problem_.kernel->softmin_spoiling(Side::target, h, u);
  close_log_d(rho_, last_.log_ratio, before.log_ratio, log_d_, u, epsilon, mean, eps(before.sweep) / epsilon, delta_);
}

std::vector<Real> sweep_epsilons(Index sweeps, Real target, Real largest, Real factor) {
  std::vector<Real> epsilons(static_cast<std::size_t>(sweeps), target);
  if (factor <= 1.0 || largest <= target) return epsilons;
  const auto halvings = static_cast<Index>(std::ceil(std::log(largest / target) / std::log(factor)));
  const Index falling = std::min(sweeps / 2, halvings);
  for (Index l = 0; l < falling; ++l)
    epsilons[l] = std::min(largest, target * std::pow(factor, static_cast<Real>(falling - l)));
  return epsilons;
}

}  // namespace hpot
