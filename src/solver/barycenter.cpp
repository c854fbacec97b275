#include "hpot/solver/barycenter.hpp"

#include "hpot/core/field.hpp"
#include "hpot/measure/pyramid.hpp"
#include "hpot/problem/transport_problem.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace hpot {
namespace {

constexpr Index chunk_values = Index{1} << 20;  // measures at once: as many as fit, at least one

Field entries(const Field& field, Index begin, Index count) {
  return Kokkos::subview(field, std::make_pair(begin, begin + count), Kokkos::ALL);
}

}  // namespace

BarycenterMap::BarycenterMap(BarycenterProblem problem)
    : problem_(std::move(problem)), log_q_(-std::log(static_cast<Real>(problem_.rows.partition.global_n()))) {
  const Index measures = static_cast<Index>(problem_.log_weight.extent(0));
  const Index n = problem_.rows.local_n();
  // from global numbers, so that all ranks along rows take the same chunks
  const Index parts = problem_.rows.along_rows.size();
  const Index share = std::max<Index>(1, (problem_.rows.partition.global_n() + parts - 1) / parts);
  const Index at_once = std::max<Index>(1, std::min(measures, chunk_values / share));
  f_ = make_field("hpot::Barycenter::f", measures, n);
  image_ = make_field("hpot::Barycenter::s", measures, n);
  h_ = make_field("hpot::Barycenter::h", at_once, n);
  g_ = make_field("hpot::Barycenter::g", at_once, n);
  log_ratio_ = make_field("hpot::Barycenter::log_ratio", 1, n);
  metric_ = make_field("hpot::Barycenter::metric", 1, n);
  std::vector<Real> owned(static_cast<std::size_t>(problem_.along_batches.size()), 0.0);
  owned[problem_.along_batches.rank()] = static_cast<Real>(measures);
  problem_.along_batches.sum(owned);
  for (int r = 0; r < problem_.along_batches.size(); ++r) {
    if (r < problem_.along_batches.rank()) first_ += static_cast<Index>(owned[r]);
    count_ += static_cast<Index>(owned[r]);
  }
  const Index n_debiased = problem_.debiased ? n : 0;
  log_d_ = make_field("hpot::Barycenter::log_d", 1, n_debiased);
  next_log_d_ = make_field("hpot::Barycenter::next_log_d", 1, n_debiased);
  transform_ = make_field("hpot::Barycenter::transform", 1, n_debiased);
}

void BarycenterMap::set_epsilon(Real epsilon) {
  if (problem_.debiased) combine(0.0, log_d_, problem_.epsilon / epsilon, log_d_);  // eps D is what carries over
  problem_.epsilon = epsilon;
  problem_.kernel->prepare(epsilon);
  renew_metric_ = true;
  quantum_ = 0.0;
}

template <class Finish>
void BarycenterMap::for_chunks(const Finish& finish) {
  const Index measures = static_cast<Index>(f_.extent(0));
  for (Index k = 0; k < measures; k += static_cast<Index>(h_.extent(0))) {
    const Index count = std::min(static_cast<Index>(h_.extent(0)), measures - k);
    const Field h = entries(h_, 0, count);
    const Field g = entries(g_, 0, count);
    add_log_constant(log_q_, entries(f_, k, count), problem_.epsilon, h);            // log q + f_k/eps
    problem_.kernel->softmin(Side::target, h, g);                                    // g_k
    add_log_weight(entries(problem_.log_weight, k, count), g, problem_.epsilon, h);  // log b_k + g_k/eps
    finish(k, h);
  }
}

void BarycenterMap::half_steps() {
  for_chunks([&](Index first, const Field& h) {
    problem_.kernel->softmin(Side::source, h, entries(image_, first, static_cast<Index>(h.extent(0))));  // s_k
  });
}

/// Potentials move little at one eps: the quantum of its first sweep serves them all.
void BarycenterMap::renew_quantum() {
  const Real here = problem_.along_batches.max(largest_exponent(problem_.lambda, image_, problem_.epsilon));
  quantum_ = quantum_for(problem_.rows.along_rows.max(here));
}

void BarycenterMap::reduce_log_ratio() {
  if (quantum_ == 0.0) renew_quantum();
  Kokkos::deep_copy(log_ratio_, 0.0);
  add_log_mean(problem_.lambda, image_, problem_.epsilon, quantum_, log_ratio_);
  problem_.along_batches.sum(log_ratio_);
  if (problem_.debiased) combine(1.0, log_d_, 1.0, log_ratio_);  // log(mu/q) = D - sum lambda_l s_l/eps
}

Real BarycenterMap::evaluate() {
  const Real epsilon = problem_.epsilon;
  half_steps();
  reduce_log_ratio();
  if (renew_metric_) {
    exp_of(log_q_, log_ratio_, metric_);
    renew_metric_ = false;
  }
  Real error = 0.0;
  for (const Real e : marginal_errors(problem_.rows, f_, image_, log_ratio_, epsilon)) {
    if (!(e <= error)) error = e;
  }
  if (problem_.debiased) {
    add_log_constant(log_q_, log_d_, 1.0, entries(h_, 0, 1));
    problem_.kernel->softmin(Side::source, entries(h_, 0, 1), transform_);
    debias(log_d_, log_ratio_, transform_, epsilon, next_log_d_);
    error = std::max(error, self_transport_error(problem_.rows, log_d_, transform_, log_ratio_, epsilon));
  }
  close_half_step(log_ratio_, epsilon, image_);  // f_k = s_k + eps log(mu/q)
  return problem_.along_batches.max(std::isfinite(error) ? error : infinity);
}

void BarycenterMap::accept() {
  std::swap(f_, image_);
  std::swap(log_d_, next_log_d_);
}

std::vector<Field> BarycenterMap::state() const { return {f_, log_d_}; }
std::vector<Field> BarycenterMap::image() const { return {image_, next_log_d_}; }

std::vector<Real> BarycenterMap::dots(const std::vector<Field>& x, const std::vector<std::vector<Field>>& ys) const {
  std::vector<Field> potentials;
  std::vector<Field> logs;
  for (const auto& y : ys) {
    potentials.push_back(y[0]);
    logs.push_back(y[1]);
  }
  const std::vector<Real> owned = entry_dots(problem_.rows, metric_, x[0], potentials);
  const Index owned_count = static_cast<Index>(f_.extent(0));
  std::vector<Real> all(ys.size() * static_cast<std::size_t>(count_), 0.0);
  for (std::size_t m = 0; m < ys.size(); ++m) {
    std::copy_n(owned.begin() + m * owned_count, owned_count, all.begin() + m * count_ + first_);
  }
  problem_.along_batches.sum(all);  // a measure has one owner: zeros are added, no rounding
  std::vector<Real> sums(ys.size());
  for (std::size_t m = 0; m < ys.size(); ++m) {
    sums[m] = std::accumulate(all.begin() + m * count_, all.begin() + (m + 1) * count_, 0.0);
  }
  if (problem_.debiased) {
    const std::vector<Real> of_d = weighted_dots(problem_.rows, metric_, x[1], logs);
    for (std::size_t m = 0; m < sums.size(); ++m) sums[m] += problem_.epsilon * problem_.epsilon * of_d[m];
  }
  return sums;
}

Field BarycenterMap::result() {
  problem_.kernel->set_precision(Precision::full);
  half_steps();
  const Field mean = make_field("hpot::Barycenter::result", 1, problem_.rows.local_n());
  add_plan_marginals(problem_.lambda, problem_.rows, f_, image_, problem_.epsilon, mean);
  problem_.along_batches.sum(mean);
  return mean;
}

void BarycenterMap::carry(const KernelOperator& between, const Field& s) {
  for_chunks([&](Index first, const Field& h) {
    between.softmin(Side::source, h, entries(s, first, static_cast<Index>(h.extent(0))));
  });
}

void BarycenterMap::start_from(const Field& s, const Field& log_d) {
  Kokkos::deep_copy(image_, s);
  Kokkos::deep_copy(log_d_, log_d);
  reduce_log_ratio();
  close_half_step(log_ratio_, problem_.epsilon, image_);
  std::swap(f_, image_);
}

MultiscaleBarycenter::MultiscaleBarycenter(const KernelOptions& kernel, const BarycenterData& data,
                                           const ProcessGrid& processes, Index smallest_side)
    : kernel_(kernel), lambda_(data.lambda), debiased_(data.debiased), processes_(processes) {
  for (const Grid& grid : make_levels(data.grid, smallest_side)) {
    if (levels_.empty()) {
      levels_.push_back({grid, data.measures});
      continue;
    }
    const Level& fine = levels_.back();
    Level coarse{grid, {}};
    for (const auto& measure : fine.measures) coarse.measures.push_back(coarsen(fine.grid, measure));
    levels_.push_back(std::move(coarse));
  }
}

std::vector<Real> MultiscaleBarycenter::neighbour_costs() const {
  std::vector<Real> costs;
  for (const Level& level : levels_) costs.push_back(neighbour_cost(kernel_.cost, level.grid));
  return costs;
}

FixedPointMap& MultiscaleBarycenter::enter(int level) {
  if (map_ != nullptr && level == level_) return *map_;
  const Level& data = levels_[level];
  const OwnedRows rows = own_rows(data.grid, processes_.along_rows());
  std::vector<Real> weights;
  for (const auto& measure : data.measures) {
    weights.insert(weights.end(), measure.begin() + rows.range().begin, measure.begin() + rows.range().end);
  }
  const Index count = static_cast<Index>(data.measures.size());  // may be none
  const Field log_weight = weights.empty() ? make_field("hpot::Barycenter::log_weight", count, rows.local_n())
                                           : make_field("hpot::Barycenter::log_weight", count, weights);
  take_log(log_weight);
  BarycenterProblem problem{rows,       processes_.along_batches(),
                            log_weight, lambda_,
                            debiased_,  make_kernel(kernel_, data.grid, rows, data.grid, rows)};
  problem.kernel->set_precision(precision_);
  auto map = std::make_unique<BarycenterMap>(std::move(problem));
  if (map_ != nullptr) carry(*map, level);
  map_ = std::move(map);
  level_ = level;
  return *map_;
}

/// s_k by a softmin over the old data points at the new grid's points; D, of which only a start is needed, interpolated.
void MultiscaleBarycenter::carry(BarycenterMap& to, int to_level) const {
  const BarycenterProblem& old = map_->problem();
  const OwnedRows& rows = to.problem().rows;
  const auto between = make_kernel(kernel_, levels_[to_level].grid, rows, levels_[level_].grid, old.rows);
  between->prepare(old.epsilon);
  between->set_precision(precision_);
  const Field s = make_field("hpot::Barycenter::carried", static_cast<Index>(old.log_weight.extent(0)), rows.local_n());
  map_->carry(*between, s);
  to.set_epsilon(old.epsilon);
  Field log_d = to.log_d();
  if (debiased_) {
    const Field whole = make_field("hpot::Barycenter::coarse_log_d", 1, old.rows.partition.global_n());
    processes_.along_rows().gather_points(map_->log_d(), whole, old.rows.partition.offsets());
    log_d = make_field("hpot::Barycenter::carried_log_d", 1,
                       interpolate(levels_[level_].grid, host_values(whole), levels_[to_level].grid, rows.range()));
  }
  to.start_from(s, log_d);
}

}  // namespace hpot
