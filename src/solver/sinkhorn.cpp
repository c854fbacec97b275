#include "hpot/solver/sinkhorn.hpp"

#include "hpot/core/field.hpp"
#include "hpot/measure/pyramid.hpp"

#include <Kokkos_Profiling_ScopedRegion.hpp>

#include <algorithm>
#include <cmath>
#include <utility>

namespace hpot {

SinkhornMap::SinkhornMap(TransportProblem problem, const Field& g) : problem_(std::move(problem)), g_(g) {
  const Marginal& a = problem_.source;
  const Marginal& b = problem_.target;
  source_mass_ = mass(a.rows, a.weight);
  target_mass_ = mass(b.rows, b.weight);
  const Real largest_mass = *std::max_element(target_mass_.begin(), target_mass_.end());
  share_ = quotient(b.weight, largest_mass > 0.0 ? std::ldexp(1.0, std::ilogb(largest_mass)) : 1.0);
  const Index batch = static_cast<Index>(a.weight.extent(0));
  f_ = make_field("hpot::Sinkhorn::f", batch, a.rows.local_n());
  if (g_.extent(0) == 0) g_ = make_field("hpot::Sinkhorn::g", batch, b.rows.local_n());
  image_ = make_field("hpot::Sinkhorn::image", batch, b.rows.local_n());
  h_source_ = make_field("hpot::Sinkhorn::h_source", batch, a.rows.local_n());
  h_target_ = a.rows.local_n() == b.rows.local_n() ? h_source_
                                                   : make_field("hpot::Sinkhorn::h_target", batch, b.rows.local_n());
}

void SinkhornMap::set_epsilon(Real epsilon) {
  problem_.epsilon = epsilon;
  problem_.kernel->prepare(epsilon);
  relaxation_ = 1.0;
}

void SinkhornMap::relax(Real w) {
  relaxation_ = w;
  if (next_f_.extent(0) == 0)  // not its size: a rank may own no rows
    next_f_ = make_field("hpot::Sinkhorn::next_f", static_cast<Index>(f_.extent(0)), static_cast<Index>(f_.extent(1)));
}

void SinkhornMap::finish_half_step(const MarginalPenalty& penalty, const Field& old, const Field& half_step) const {
  if (relaxation_ > 1.0) {
    hpot::relax(penalty, old, problem_.epsilon, relaxation_, half_step);
  } else {
    apply_prox(penalty, half_step, problem_.epsilon, half_step);
  }
}

Real SinkhornMap::evaluate() {
  const Marginal& a = problem_.source;
  const Marginal& b = problem_.target;
  const Real epsilon = problem_.epsilon;
  const bool relaxed = relaxation_ > 1.0;
  std::vector<Real> errors_of_source(source_mass_.size(), 0.0);
  clamp_to_domain(b.penalty, g_);  // mixing sweeps may leave it
  const auto one_visit = [&] {
    const Kokkos::Profiling::ScopedRegion region("hpot: both half-steps in one visit");
    return problem_.kernel->sweep({a.log_weight, a.penalty, b.log_weight, g_}, f_, image_);
  };
  if (relaxed || !one_visit()) {
    // f = prox_a(softmin(log b + g/eps)), or what relaxes towards it
    Kokkos::Profiling::pushRegion("hpot: half-step of the source");
    add_log_weight(b.log_weight, g_, epsilon, h_target_);
    const Field next_f = relaxed ? next_f_ : f_;
    problem_.kernel->softmin_spoiling(Side::source, h_target_, next_f);
    if (relaxed) Kokkos::deep_copy(h_source_, next_f);
    finish_half_step(a.penalty, f_, next_f);
    if (relaxed) {
      errors_of_source = residual(a, next_f, h_source_, epsilon);
      std::swap(f_, next_f_);
    }
    Kokkos::Profiling::popRegion();
    // s = softmin(log a + f/eps)
    const Kokkos::Profiling::ScopedRegion region("hpot: half-step of the target");
    add_log_weight(a.log_weight, f_, epsilon, h_source_);
    problem_.kernel->softmin_spoiling(Side::target, h_source_, image_);
  }
  // residual of (f, g), then g' = prox_b(s)
  const Kokkos::Profiling::ScopedRegion region("hpot: residual");
  const std::vector<Real> errors = residual(b, g_, image_, epsilon);
  finish_half_step(b.penalty, g_, image_);
  shift_image();
  Real worst = 0.0;
  for (std::size_t k = 0; k < errors.size(); ++k) {
    for (const Real relative : {errors[k] / target_mass_[k], errors_of_source[k] / source_mass_[k]}) {
      if (!(relative <= worst)) worst = relative;  // NaN wins
    }
  }
  return worst;
}

/// g -= t, f += t with t = rho_a rho_b/(rho_a+rho_b) [log sum a exp(-f/rho_a) - log sum b exp(-g/rho_b)].
void SinkhornMap::shift_image() {
  shift_ = 0.0;
  const auto* kl_a = std::get_if<KullbackLeibler>(&problem_.source.penalty);
  const auto* kl_b = std::get_if<KullbackLeibler>(&problem_.target.penalty);
  if (kl_a == nullptr || kl_b == nullptr || g_.extent(0) != 1) return;
  const Real sum_a = source_mass_[0] - dual_term(problem_.source, f_)[0] / kl_a->rho;
  const Real sum_b = target_mass_[0] - dual_term(problem_.target, image_)[0] / kl_b->rho;
  if (!(sum_a > 0.0 && sum_b > 0.0 && std::isfinite(sum_a) && std::isfinite(sum_b))) return;
  shift_ = kl_a->rho * kl_b->rho / (kl_a->rho + kl_b->rho) * (std::log(sum_a) - std::log(sum_b));
  add_constant(image_, -shift_);
}

void SinkhornMap::accept() {
  std::swap(g_, image_);
  if (relaxation_ > 1.0) add_constant(f_, shift_);  // a plain sweep makes f anew
}

void SinkhornMap::archive(Archive& archive) {
  FixedPointMap::archive(archive);
  archive.number("relaxation", relaxation_);
  if (relaxation_ <= 1.0) return;
  relax(relaxation_);
  archive.values("f", f_);
}

std::vector<Real> SinkhornMap::dots(const std::vector<Field>& x, const std::vector<std::vector<Field>>& ys) const {
  std::vector<Field> fields;
  for (const auto& y : ys) fields.push_back(y[0]);
  return weighted_dots(problem_.target.rows, share_, x[0], fields);
}

namespace {

Marginal make_marginal(const OwnedRows& rows, const std::vector<Real>& weights, const MarginalPenalty& penalty) {
  const Field weight = make_unset_field("hpot::weights", 1, rows.local_n());
  set_entry(weight, 0, weights);
  return make_marginal(rows, weight, penalty);
}

}  // namespace

TransportProblem make_transport_problem(const KernelOptions& kernel, const TransportData& data,
                                        const Communicator& along_rows) {
  const OwnedRows source = own_rows(data.source_support, along_rows);
  const OwnedRows target = own_rows(data.target_support, along_rows);
  return {make_marginal(source, owned_values(data.source, source), data.source_penalty),
          make_marginal(target, owned_values(data.target, target), data.target_penalty),
          make_kernel(kernel, data.source_support, source, data.target_support, target)};
}

MultiscaleSinkhorn::MultiscaleSinkhorn(const KernelOptions& kernel, TransportData data, const Communicator& along_rows,
                                       Index smallest_side, const Field& start)
    : kernel_(kernel), source_penalty_(data.source_penalty), target_penalty_(data.target_penalty), start_(start) {
  const int count =
      std::min(count_levels(data.source_support, smallest_side), count_levels(data.target_support, smallest_side));
  source_ = make_measure_levels(std::move(data.source_support), std::move(data.source), along_rows, count);
  target_ = make_measure_levels(std::move(data.target_support), std::move(data.target), along_rows, count);
}

std::vector<Real> MultiscaleSinkhorn::neighbour_costs() const {
  std::vector<Real> costs;
  for (const MeasureLevel& level : target_) costs.push_back(neighbour_cost(kernel_.cost, level.support));
  return costs;
}

std::vector<Real> MultiscaleSinkhorn::finer_below(std::vector<Real> neighbour_costs) const {
  for (std::size_t l = 1; l < neighbour_costs.size(); ++l)
    neighbour_costs[l] =
        hpot::finer_below(kernel_.cost, source_[l - 1].support, target_[l - 1].support, neighbour_costs[l]);
  return neighbour_costs;
}

FixedPointMap& MultiscaleSinkhorn::enter(int level) {
  if (map_ != nullptr && level == level_) return *map_;
  MeasureLevel& source = source_[level];
  MeasureLevel& target = target_[level];
  const Field g = map_ == nullptr ? std::exchange(start_, {}) : carried_potential(level);
  map_.reset();  // before the next one takes its memory
  TransportProblem problem{make_marginal(source.rows, std::exchange(source.weights, {}), source_penalty_),
                           make_marginal(target.rows, std::exchange(target.weights, {}), target_penalty_),
                           make_kernel(kernel_, source.support, source.rows, target.support, target.rows)};
  problem.kernel->set_precision(precision_);
  map_ = std::make_unique<SinkhornMap>(std::move(problem), g);
  level_ = level;
  // the next operator is between this level and a finer one
  const bool done_with = level == 0 && !keeps_supports_;
  for (auto* const side : {&source_, &target_}) {
    for (std::size_t l = level + (done_with ? 0 : 1); l < side->size(); ++l) (*side)[l].support = {};
  }
  return *map_;
}

/// g on the new grid: softmin over the old source points, evaluated at the new target points. Never a copy: potentials
/// are samples of the function that softmin defines everywhere.
Field MultiscaleSinkhorn::carried_potential(int to_level) const {
  const TransportProblem& old = map_->problem();
  const MeasureLevel& to = target_[to_level];
  const auto between = make_kernel(kernel_, source_[level_].support, old.source.rows, to.support, to.rows);
  between->prepare(old.epsilon);
  between->set_precision(precision_);
  const Field h = make_field("hpot::Sinkhorn::carried_h", 1, old.source.rows.local_n());
  const Field g = make_field("hpot::Sinkhorn::carried", 1, to.rows.local_n());
  add_log_weight(old.source.log_weight, map_->f(), old.epsilon, h);
  between->softmin_spoiling(Side::target, h, g);
  apply_prox(old.target.penalty, g, old.epsilon, g);
  return g;
}

}  // namespace hpot
