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

BarycenterSweeps::BarycenterSweeps(BarycenterProblem problem, std::vector<Real> epsilons, Index places,
                                   std::function<void()> before_sweep)
    : problem_(std::move(problem)),
      epsilons_(std::move(epsilons)),
      recall_(states(), places),
      before_sweep_(std::move(before_sweep)),
      log_q_(-std::log(static_cast<Real>(problem_.rows.partition.global_n()))) {
  const Index measures = static_cast<Index>(problem_.log_weight.extent(0));
  const Index n = problem_.rows.local_n();
  const Index at_once =
      BarycenterMap::measures_at_once(measures, problem_.rows.partition.global_n(), problem_.rows.along_rows.size());
  for (Field* field : {&z_, &g_}) *field = make_unset_field("hpot::BarycenterSweeps::adjoint", measures, n);
  for (Field* field : {&h_, &a_, &t_}) *field = make_unset_field("hpot::BarycenterSweeps::chunk", at_once, n);
  for (Field* field : {&log_ratio_, &before_, &phi_sum_, &log_map_})
    *field = make_field("hpot::BarycenterSweeps::map", 1, n);
  for (Index p = 0; p < std::min(places, states()); ++p)
    places_.push_back(make_unset_field("hpot::BarycenterSweeps::half_steps", measures, n));
}

void BarycenterSweeps::prepare(Real epsilon) {
  if (problem_.epsilon == epsilon && prepared_) return;
  problem_.epsilon = epsilon;
  problem_.kernel->prepare(epsilon);
  prepared_ = true;
}

Field BarycenterSweeps::free_place() {
  Field place = free_.back();
  free_.pop_back();
  return place;
}

void BarycenterSweeps::for_chunks(const std::function<void(Index first, Index count)>& work) const {
  const Index measures = static_cast<Index>(z_.extent(0));
  const Index at_once = static_cast<Index>(h_.extent(0));
  for (Index k = 0; k < measures; k += at_once) work(k, std::min(at_once, measures - k));
}

/// log(p/q) = -sum_k lambda_k s_k/eps - c
void BarycenterSweeps::log_ratio_of(const State& state, const Field& log_ratio) {
  const Real epsilon = eps(state.sweep);
  const Real largest = problem_.along_batches.max(largest_exponent(problem_.lambda, state.s, epsilon));
  Kokkos::deep_copy(log_ratio, 0.0);
  add_log_mean(problem_.lambda, state.s, epsilon, quantum_for(problem_.rows.along_rows.max(largest)), log_ratio);
  problem_.along_batches.sum(log_ratio);
  add_constant(log_ratio, -log_mass(problem_.rows, log_ratio) - log_q_);
}

/// One sweep: from f = 0 where `before` is no state.
void BarycenterSweeps::make(const State& before, const State& after) {
  const Kokkos::Profiling::ScopedRegion region("hpot: sweep");
  if (before_sweep_) before_sweep_();
  const Real epsilon = eps(after.sweep);
  if (before.sweep > 0) log_ratio_of(before, before_);
  prepare(epsilon);
  for_chunks([&](Index first, Index count) {
    const Field h = entries(h_, 0, count);
    const Field g = entries(a_, 0, count);
    if (before.sweep > 0) {  // log q + f_k/eps
      add_log_potential(log_q_, entries(before.s, first, count), before_, eps(before.sweep), epsilon, h);
    } else {
      Kokkos::deep_copy(h, log_q_);
    }
    problem_.kernel->softmin_spoiling(Side::target, h, g);
    add_log_weight(entries(problem_.log_weight, first, count), g, epsilon, h);  // log b_k + g_k/eps
    problem_.kernel->softmin_spoiling(Side::source, h, entries(after.s, first, count));
  });
}

void BarycenterSweeps::hold_before(Index sweep) {
  while (held_.back().sweep < sweep - 1) {
    const State from = held_.back();
    const Index free = static_cast<Index>(places_.size() - held_.size()) - 1;  // one is for last_
    const Index to = from.sweep + recall_.distance(sweep - 1 - from.sweep, free);
    State next{from.sweep + 1, free_place()};
    make(from, next);
    for (; next.sweep < to; ++next.sweep) make(next, {next.sweep + 1, next.s});
    held_.push_back(next);
  }
}

const Field& BarycenterSweeps::forward(const std::vector<Real>& lambda) {
  problem_.lambda = lambda;
  free_ = places_;
  held_.clear();
  last_ = {1, free_place()};
  make({}, last_);
  if (states() > 1) {
    held_.push_back(std::exchange(last_, {}));
    hold_before(states());
    const State last{states(), free_place()};
    make(held_.back(), last);
    last_ = last;
  }
  log_ratio_of(last_, log_ratio_);
  Kokkos::deep_copy(log_map_, log_ratio_);
  add_constant(log_map_, log_q_);
  return log_map_;
}

std::vector<Real> BarycenterSweeps::reverse(const ConstField& m) {
  const Real epsilon = eps(states());
  times_map(log_map_, m, phi_sum_);
  gradient_ = common_dots(problem_.rows, phi_sum_, last_.s);
  for (Real& value : gradient_) value /= -epsilon;
  start_adjoint(problem_.lambda, m, epsilon, z_);
  g_serves_ = false;
  while (last_.sweep > 1) {
    hold_before(last_.sweep);
    const State before = held_.back();
    step_back(before);
    held_.pop_back();
    free_.push_back(last_.s);
    last_ = before;
  }
  return gradient_;
}

void BarycenterSweeps::step_back(const State& before) {
  const Kokkos::Profiling::ScopedRegion region("hpot: sweep back");
  if (before_sweep_) before_sweep_();
  const Real epsilon = eps(last_.sweep);
  const Real eps_before = eps(before.sweep);
  log_ratio_of(before, before_);
  prepare(epsilon);
  for_chunks([&](Index first, Index count) {
    const Field h = entries(h_, 0, count);
    const Field y = entries(a_, 0, count);
    const Field t = entries(t_, 0, count);
    const Field g = entries(g_, first, count);
    const Field z = entries(z_, first, count);
    const Field s = entries(last_.s, first, count);
    const Field s_before = entries(before.s, first, count);
    // y = -exp((g - t)/eps) mean[z]
    add_log_potential(log_q_, s, log_ratio_, epsilon, epsilon, h);
    problem_.kernel->average(Side::target, h, z, y);
    if (g_serves_) {
      Kokkos::deep_copy(t, g);
    } else {
      problem_.kernel->softmin_spoiling(Side::target, h, t);
    }
    add_log_potential(log_q_, s_before, before_, eps_before, epsilon, h);
    problem_.kernel->softmin_spoiling(Side::target, h, g);
    close_data_side(g, t, epsilon, y);
    // phi = -exp((f_before - s)/eps - log(p_before/q)) mean[y]
    add_log_weight(entries(problem_.log_weight, first, count), g, epsilon, h);
    problem_.kernel->average(Side::source, h, y, z);
    close_map_side(s_before, before_, eps_before, s, epsilon, z);
  });
  g_serves_ = eps_before == epsilon;

  // Phi = sum phi,  G -= <p Phi, s>,  z = phi - lambda Phi
  sum_entries(std::vector<Real>(z_.extent(0), 1.0), z_, phi_sum_);
  problem_.along_batches.sum(phi_sum_);
  std::swap(log_ratio_, before_);
  Kokkos::deep_copy(before_, log_ratio_);
  add_constant(before_, log_q_);
  times_map(before_, phi_sum_, before_);
  const std::vector<Real> shares = common_dots(problem_.rows, before_, before.s);
  for (std::size_t k = 0; k < gradient_.size(); ++k) gradient_[k] -= shares[k];
  subtract_shares(problem_.lambda, phi_sum_, z_);
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
