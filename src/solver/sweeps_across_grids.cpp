// What leads barycenter sweeps from a coarser grid to the given one, and back.
#include "hpot/core/field.hpp"
#include "hpot/problem/sweep_adjoint.hpp"
#include "hpot/problem/transport_problem.hpp"
#include "hpot/solver/barycenter_sweeps.hpp"

#include <Kokkos_Profiling_ScopedRegion.hpp>

#include <stdexcept>
#include <utility>

namespace hpot {

void BarycenterSweeps::begin_after(std::unique_ptr<BarycenterSweeps> coarser, std::shared_ptr<KernelOperator> between) {
  if (problem_.debiased) throw std::logic_error("BarycenterSweeps: D is not carried from a coarser grid");
  coarser_ = std::move(coarser);
  between_ = std::move(between);
}

void BarycenterSweeps::prepare_between(Real epsilon) {
  coarser_->prepare(epsilon);
  between_->prepare(epsilon);
}

void BarycenterSweeps::carry(Index first, Index count, const Field& s) const {
  const Field h = entries(coarser_->h_, 0, count);
  coarser_->take_log_data(coarser_->last_, first, count, eps(1), h, entries(coarser_->a_, 0, count));
  between_->softmin_spoiling(Side::source, h, s);
}

void BarycenterSweeps::go_on_in_coarser() {
  const Kokkos::Profiling::ScopedRegion region("hpot: sweep back");
  if (before_sweep_) before_sweep_();
  BarycenterSweeps& to = *coarser_;
  const State& before = to.last_;
  const Real epsilon = eps(1);
  const Real eps_before = to.eps(before.sweep);
  prepare_between(epsilon);
  for_chunks([&](Index first, Index count) {
    // y = -exp((g - t)/eps) mean[z] at the data
    const Field h = entries(h_, 0, count);
    const Field y = entries(to.a_, 0, count);
    const Field t = entries(to.t_, 0, count);
    add_log_potential(q_, entries(last_.s, first, count), last_.log_ratio, epsilon, epsilon, h);
    between_->average(Side::target, h, entries(z_, first, count), y);
    between_->softmin_spoiling(Side::target, h, t);
    const Field log_data = entries(to.h_, 0, count);
    const Field g = entries(to.g_, first, count);
    to.take_log_data(before, first, count, epsilon, log_data, g);
    close_data_side(g, t, epsilon, y);
    // phi = -exp((f_before - s)/eps - r_before) mean[y], s there
    const Field z = entries(to.z_, first, count);
    to.problem_.kernel->average(Side::source, log_data, y, z);
    to.problem_.kernel->softmin_spoiling(Side::source, log_data, t);
    close_map_side(entries(before.s, first, count), before.log_ratio, eps_before, t, epsilon, z);
  });
  to.g_serves_ = eps_before == epsilon;
  sum_entries(std::vector<Real>(to.z_.extent(0), eps_before), to.z_, to.rho_);
  to.problem_.along_batches.sum(to.rho_);
  to.gradient_.assign(to.z_.extent(0), 0.0);
  to.slope_ = {};
  to.add_gradient();
  to.walk_back();
  for (std::size_t k = 0; k < gradient_.size(); ++k) gradient_[k] += to.gradient_[k];
}

}  // namespace hpot
