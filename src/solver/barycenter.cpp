#include "hpot/solver/barycenter.hpp"

#include "hpot/core/field.hpp"
#include "hpot/measure/pyramid.hpp"
#include "hpot/problem/transport_problem.hpp"

#include <Kokkos_Profiling_ScopedRegion.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

namespace hpot {
namespace {

constexpr Index chunk_values = Index{1} << 20;  // measures at once: as many as fit, at least one
constexpr Real share_of_prox = 0.1;             // its error, of that of the sweep before

}  // namespace

BarycenterMap::BarycenterMap(BarycenterProblem problem, const VariationTerm& variation)
    : BarycenterMap(std::move(problem), {}, {}, variation, {}) {}

BarycenterMap::BarycenterMap(BarycenterProblem problem, const BarycenterStart& start, const VariationTerm& variation)
    : BarycenterMap(std::move(problem), start.s, start.log_d, variation, start.variation) {
  problem_.epsilon = start.epsilon;
  reduce_log_ratio(f_);
  if (variation_) variation_->add(log_ratio_, problem_.epsilon);
  close_half_step(log_ratio_, problem_.epsilon, f_);
}

BarycenterMap::BarycenterMap(BarycenterProblem problem, const Field& f, const Field& log_d,
                             const VariationTerm& variation, const Field& w)
    : problem_(std::move(problem)),
      reference_(problem_.log_reference, problem_.rows.partition.global_n()),
      batch_(problem_.along_batches, static_cast<Index>(problem_.log_weight.extent(0))),
      f_(f),
      log_d_(log_d) {
  const Index measures = static_cast<Index>(problem_.log_weight.extent(0));
  const Index n = problem_.rows.local_n();
  const Index at_once = measures_at_once(measures, problem_.rows.partition.global_n(), problem_.rows.along_rows.size());
  const Index n_offset = problem_.keeps_log_d() ? n : 0;
  const auto given = [](const Field& field, Index rows, Index points) {
    return static_cast<Index>(field.extent(0)) == rows && static_cast<Index>(field.extent(1)) == points;
  };
  if (!given(f_, measures, n)) f_ = make_field("hpot::Barycenter::f", measures, n);
  if (!given(log_d_, 1, n_offset)) log_d_ = make_field("hpot::Barycenter::log_d", 1, n_offset);
  image_ = make_field("hpot::Barycenter::s", measures, n);
  h_ = make_field("hpot::Barycenter::h", at_once, n);
  log_ratio_ = make_field("hpot::Barycenter::log_ratio", 1, n);
  metric_ = make_field("hpot::Barycenter::metric", 1, problem_.inner_products ? n : 0);
  next_log_d_ = make_field("hpot::Barycenter::next_log_d", 1, n_offset);
  if (variation.tau > 0.0) variation_.emplace(problem_.rows, variation.steps, variation.tau, w);
}

Index BarycenterMap::measures_at_once(Index measures, Index global_n, int ranks_along_rows) {
  const Index share = std::max<Index>(1, (global_n + ranks_along_rows - 1) / ranks_along_rows);
  return std::max<Index>(1, std::min(measures, chunk_values / share));
}

void BarycenterMap::set_epsilon(Real epsilon) {
  if (problem_.debiased)
    combine(0.0, log_d_, problem_.epsilon / epsilon, log_d_);  // eps D carries over; of a bound, about D
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
    const Field g = entries(image_, k, count);
    add_log_reference(reference_, entries(f_, k, count), problem_.epsilon, h);  // log q + f_k/eps
    problem_.kernel->softmin_spoiling(Side::target, h, g);                      // g_k
    apply_prox(problem_.penalty, g, problem_.epsilon, g);
    add_log_weight(entries(problem_.log_weight, k, count), g, problem_.epsilon, h);  // log b_k + g_k/eps
    finish(k, h);
  }
}

void BarycenterMap::half_steps() {
  const Kokkos::Profiling::ScopedRegion region("hpot: half-steps of the measures");
  const auto* kl = std::get_if<KullbackLeibler>(&problem_.penalty);
  std::vector<Real> log_masses;
  for_chunks([&](Index first, const Field& h) {
    const Field g = entries(image_, first, static_cast<Index>(h.extent(0)));
    if (kl != nullptr) {
      const auto more = log_dual_masses(problem_.rows, entries(problem_.log_weight, first, g.extent(0)), g, kl->rho);
      log_masses.insert(log_masses.end(), more.begin(), more.end());
    }
    problem_.kernel->softmin_spoiling(Side::source, h, g);  // s_k, in place of g_k
  });
  if (kl != nullptr) find_shifts(log_masses, kl->rho);
  if (problem_.kernel->known_costs() == KnownCosts::near) keep_off_unreached();
}

/// mu = exp(-sum_k lambda_k s_k/eps) is 0 where one measure has no mass within the radius, whatever the others say.
void BarycenterMap::keep_off_unreached() {
  constexpr Real nothing = 1e3;  // exp(-1e3) is 0
  Real least = 1.0;
  for (const Real weight : problem_.lambda) least = weight > 0.0 ? std::min(least, weight) : least;
  least = -problem_.along_batches.max(-least);
  const Real reached =
      problem_.along_batches.max(problem_.rows.along_rows.max(largest_reached_exponent(image_, problem_.epsilon)));
  bound_unreached(f_, problem_.epsilon, nothing, (2.0 * reached + nothing) / least, image_);
}

/// g_k -= t_k, f_k += t_k maximise the dual by t_k = rho (sum_l lambda_l L_l - L_k), which sums to 0 under lambda.
void BarycenterMap::find_shifts(const std::vector<Real>& log_masses, Real rho) {
  std::vector<Real> weighted = log_masses;
  for (std::size_t k = 0; k < weighted.size(); ++k)
    weighted[k] = problem_.lambda[k] > 0.0 ? problem_.lambda[k] * weighted[k] : 0.0;
  const std::vector<Real> all = batch_.of_all(weighted);
  const Real mean = std::accumulate(all.begin(), all.end(), 0.0);
  shifts_.assign(log_masses.size(), 0.0);
  if (!std::isfinite(mean)) return;
  for (std::size_t k = 0; k < shifts_.size(); ++k) shifts_[k] = rho * (mean - log_masses[k]);
}

Real BarycenterMap::mass_of_image() const {
  return is_balanced(problem_.penalty) ? 1.0 : mass_of_ratio(problem_.rows, reference_, log_ratio_);
}

/// Potentials move little at one eps: the quantum of its first sweep serves them all.
void BarycenterMap::renew_quantum(const Field& s) {
  const Real here = problem_.along_batches.max(largest_exponent(problem_.lambda, s, problem_.epsilon));
  quantum_ = quantum_for(problem_.rows.along_rows.max(here));
}

void BarycenterMap::reduce_log_ratio(const Field& s) {
  const Kokkos::Profiling::ScopedRegion region("hpot: mean over the measures");
  if (quantum_ == 0.0) renew_quantum(s);
  Kokkos::deep_copy(log_ratio_, 0.0);
  add_log_mean(problem_.lambda, s, problem_.epsilon, quantum_, log_ratio_);
  problem_.along_batches.sum(log_ratio_);
  if (problem_.keeps_log_d()) combine(1.0, log_d_, 1.0, log_ratio_);  // log(mu/q) = D - sum lambda_l s_l/eps
}

Real BarycenterMap::constant_of_tilt() const {
  return (is_balanced(problem_.penalty) ? 0.0 : tilted_.free_log_mass()) - tilted_.log_mass;
}

Real BarycenterMap::meet_entropy_bound(bool at_any_exponent) {
  const Kokkos::Profiling::ScopedRegion region("hpot: bound of the entropy");
  const Field& m = next_log_d_;
  Kokkos::deep_copy(m, log_ratio_);
  combine(-1.0, log_d_, 1.0, m);
  tilted_ = sharpen(problem_.rows, reference_, m, problem_.entropy_bound,
                    at_any_exponent ? most_exponent : exponent_on_the_way);
  combine(tilted_.beta, m, 0.0, log_ratio_);
  add_constant(log_ratio_, constant_of_tilt());
  if (!at_any_exponent || tilted_.beta < most_exponent) return 0.0;
  return std::max(0.0, tilted_.entropy() - problem_.entropy_bound);
}

void BarycenterMap::step_in_entropy() {
  move_offset(problem_.rows, reference_, log_d_, log_ratio_, tilted_, next_log_d_);
  add_constant(log_ratio_, -constant_of_tilt());
  combine(1.0, next_log_d_, 1.0 / tilted_.beta, log_ratio_);
}

Real BarycenterMap::evaluate() {
  const Real epsilon = problem_.epsilon;
  half_steps();
  reduce_log_ratio(image_);
  if (renew_metric_ && problem_.inner_products) {
    mean_of_ratio(reference_, log_ratio_, metric_);
    renew_metric_ = false;
  }
  const Kokkos::Profiling::ScopedRegion region("hpot: errors and new potentials");
  Real of_variation = 0.0;
  if (variation_) {
    variation_->apply(log_ratio_, epsilon, share_of_prox * last_error_, entries(h_, 0, 1));
    of_variation = variation_->error(variation_->measure(log_ratio_), log_ratio_, epsilon);
  }
  Real error = problem_.entropy_bounded() ? meet_entropy_bound(epsilon <= problem_.bounded_from) : 0.0;
  for (const Real e : marginal_errors(problem_.rows, reference_, f_, image_, log_ratio_, epsilon)) {
    if (!(e <= error)) error = e;
    if (std::isnan(error)) break;
  }
  if (problem_.debiased) {
    error = std::max(error, self_transport());
    debias(log_d_, log_ratio_, next_log_d_, epsilon, next_log_d_);
  }
  error /= mass_of_image();
  if (!(of_variation <= error)) error = of_variation;
  if (problem_.entropy_bounded()) step_in_entropy();
  close_half_step(log_ratio_, epsilon, image_);  // f_k = s_k + eps log(mu/q)
  for (std::size_t k = 0; k < shifts_.size(); ++k) add_constant(entries(image_, static_cast<Index>(k), 1), shifts_[k]);
  error = problem_.along_batches.max(std::isfinite(error) ? error : infinity);
  last_error_ = std::min(1.0, error);
  return error;
}

Real BarycenterMap::self_transport() {
  const Kokkos::Profiling::ScopedRegion region("hpot: self-transport");
  const Field transform = next_log_d_;
  add_log_reference(reference_, log_d_, 1.0, entries(h_, 0, 1));
  problem_.kernel->softmin_spoiling(Side::source, entries(h_, 0, 1), transform);
  return self_transport_error(problem_.rows, reference_, log_d_, transform, log_ratio_, problem_.epsilon);
}

void BarycenterMap::accept() {
  std::swap(f_, image_);
  std::swap(log_d_, next_log_d_);
}

std::vector<Field> BarycenterMap::state() const { return {f_, log_d_}; }
std::vector<Field> BarycenterMap::image() const { return {image_, next_log_d_}; }

void BarycenterMap::archive(Archive& archive) {
  FixedPointMap::archive(archive);
  archive.values("metric", metric_);
  archive.number("renew_metric", renew_metric_);
  archive.number("quantum", quantum_);
  if (variation_) variation_->archive(archive);
  archive.number("variation_target", last_error_);
}

std::vector<Real> BarycenterMap::dots(const std::vector<Field>& x, const std::vector<std::vector<Field>>& ys) const {
  std::vector<Field> potentials;
  std::vector<Field> logs;
  for (const auto& y : ys) {
    potentials.push_back(y[0]);
    logs.push_back(y[1]);
  }
  const Index count = batch_.count();
  const std::vector<Real> all = batch_.of_all(entry_dots(problem_.rows, metric_, x[0], potentials), ys.size());
  std::vector<Real> sums(ys.size());
  for (std::size_t m = 0; m < ys.size(); ++m) {
    sums[m] = std::accumulate(all.begin() + m * count, all.begin() + (m + 1) * count, 0.0);
  }
  if (problem_.keeps_log_d()) {
    const std::vector<Real> of_d = weighted_dots(problem_.rows, metric_, x[1], logs);
    for (std::size_t m = 0; m < sums.size(); ++m) sums[m] += problem_.epsilon * problem_.epsilon * of_d[m];
  }
  return sums;
}

BarycenterResult BarycenterMap::result() {
  problem_.kernel->set_precision(Precision::full);
  half_steps();
  reduce_log_ratio(image_);
  BarycenterErrors errors;
  Variation variation;
  if (variation_) {
    variation_->add(log_ratio_, problem_.epsilon);
    variation = variation_->measure(log_ratio_);
    errors.variation = variation_->error(variation, log_ratio_, problem_.epsilon);
  }
  if (problem_.entropy_bounded()) meet_entropy_bound(true);
  errors.marginal = batch_.of_all(marginal_errors(problem_.rows, reference_, f_, image_, log_ratio_, problem_.epsilon));
  const Real image_mass = mass_of_image();
  const Real cut = std::expm1(problem_.kernel->softmin_excess());  // of every marginal at most, by the operator
  for (Real& error : errors.marginal) error = error / image_mass + 2.0 * cut;  // of mu, too
  if (problem_.debiased) errors.self_transport = self_transport() / image_mass + 2.0 * cut;
  const Real exponents = largest_exponent(problem_.lambda, f_, problem_.epsilon) +
                         largest_exponent(problem_.lambda, image_, problem_.epsilon);
  errors.floor =
      0.5 * std::numeric_limits<Real>::epsilon() * problem_.along_batches.max(problem_.rows.along_rows.max(exponents));
  const Field& mean = log_ratio_;  // which the next sweep computes anew
  if (problem_.entropy_bounded() || variation_) {
    mean_of_ratio(reference_, log_ratio_, mean);
    if (is_balanced(problem_.penalty)) combine(0.0, mean, 1.0 / mass(problem_.rows, mean)[0], mean);
    EntropyReport entropy;
    if (problem_.entropy_bounded()) entropy = {tilted_.entropy(), problem_.entropy_bound, tilted_.beta};
    return {mean, mass(problem_.rows, mean)[0], errors, entropy, variation};
  }
  Kokkos::deep_copy(mean, 0.0);
  add_plan_marginals(problem_.lambda, reference_, f_, image_, problem_.epsilon, mean);
  problem_.along_batches.sum(mean);
  return {mean, mass(problem_.rows, mean)[0], errors, {}, {}};
}

Real BarycenterMap::lower_cost() {
  Real sum = 0.0;
  for (Index k = 0; k < static_cast<Index>(f_.extent(0)); ++k) {
    const Field g = entries(image_, k, 1);
    problem_.kernel->hard_min(Side::target, entries(f_, k, 1), g);
    const Real mean = means_under(problem_.rows, entries(problem_.log_weight, k, 1), g)[0];
    if (problem_.lambda[k] > 0.0) sum += problem_.lambda[k] * mean;
  }
  return problem_.along_batches.sum(sum);
}

void BarycenterMap::carry(const KernelOperator& between, const Field& s) {
  for_chunks([&](Index first, const Field& h) {
    between.softmin_spoiling(Side::source, h, entries(s, first, static_cast<Index>(h.extent(0))));
  });
}

MultiscaleBarycenter::MultiscaleBarycenter(const KernelOptions& kernel, BarycenterData data,
                                           const ProcessGrid& processes, Index smallest_side)
    : kernel_(kernel),
      lambda_(std::move(data.lambda)),
      debiased_(data.debiased),
      inner_products_(data.inner_products),
      penalty_(data.penalty),
      entropy_bounded_(data.entropy_bounded),
      entropy_bound_(data.entropy_bound),
      bounded_from_(data.bounded_from),
      variation_(data.variation),
      processes_(processes) {
  std::vector<Support> supports{data.support};
  if (data.support.grid() != nullptr) {
    const std::vector<Grid> grids = make_levels(*data.support.grid(), smallest_side);
    supports.assign(grids.begin(), grids.end());
  }
  for (const Support& support : supports) levels_.push_back({support, own_rows(support, processes.along_rows()), {}});
  for (std::vector<Real>& measure : data.measures) {  // one at a time: what is whole of others is not there yet
    auto copies =
        make_measure_levels(data.support, std::move(measure), processes.along_rows(), static_cast<int>(levels_.size()));
    for (std::size_t l = 0; l < levels_.size(); ++l) levels_[l].measures.push_back(std::move(copies[l].weights));
  }
}

std::vector<Real> MultiscaleBarycenter::neighbour_costs() const {
  std::vector<Real> costs;
  for (const Level& level : levels_) costs.push_back(neighbour_cost(kernel_.cost, level.support));
  return costs;
}

FixedPointMap& MultiscaleBarycenter::enter(int level) {
  if (map_ != nullptr && level == level_) return *map_;
  Level& data = levels_[level];
  const bool first = map_ == nullptr;
  const BarycenterStart start = first ? BarycenterStart{} : carried(level);
  map_.reset();  // before the next one takes its memory

  const Index count = static_cast<Index>(data.measures.size());  // may be none
  const Field log_weight = make_unset_field("hpot::Barycenter::log_weight", count, data.rows.local_n());
  for (Index k = 0; k < count; ++k) set_entry(log_weight, k, std::exchange(data.measures[k], {}));
  take_log(log_weight);
  BarycenterProblem problem{data.rows,  processes_.along_batches(),
                            log_weight, lambda_,
                            debiased_,  make_kernel(kernel_, data.support, data.rows, data.support, data.rows)};
  problem.inner_products = inner_products_;
  problem.penalty = penalty_;
  problem.log_reference = log_reference_of(data.support, data.rows);
  if (entropy_bounded_) {
    const Reference q(problem.log_reference, data.support.points());
    problem.entropy_bound = std::isfinite(entropy_bound_)
                                ? entropy_bound_
                                : largest_entropy(processes_.along_batches(), data.rows, q, log_weight, lambda_);
  }
  problem.bounded_from = level == 0 ? bounded_from_ : 0.0;
  problem.kernel->set_precision(precision_);
  VariationTerm variation;
  if (variation_ > 0.0)
    variation = {variation_, steps_of(*data.support.grid(), levels_[0].support.grid()->smallest_spacing())};
  map_ = first ? std::make_unique<BarycenterMap>(std::move(problem), variation)
               : std::make_unique<BarycenterMap>(std::move(problem), start, variation);
  level_ = level;
  return *map_;
}

/// s_k by a softmin over the old data points at the new grid's points; D and w, of which only a start is needed, interpolated.
BarycenterStart MultiscaleBarycenter::carried(int to_level) const {
  const BarycenterProblem& old = map_->problem();
  const Level& to = levels_[to_level];
  const Index count = static_cast<Index>(old.log_weight.extent(0));
  BarycenterStart start{old.epsilon, make_unset_field("hpot::Barycenter::carried", count, to.rows.local_n()), {}, {}};
  const auto between = make_kernel(kernel_, to.support, to.rows, levels_[level_].support, old.rows);
  between->prepare(old.epsilon);
  between->set_precision(precision_);
  map_->carry(*between, start.s);
  if (old.keeps_log_d())
    start.log_d = make_field("hpot::Barycenter::carried_log_d", 1, interpolated(map_->log_d(), to));
  const Field w = map_->variation_dual();
  const Index dimensions = static_cast<Index>(w.extent(0));
  if (dimensions > 0)
    start.variation = make_unset_field("hpot::Barycenter::carried_variation", dimensions, to.rows.local_n());
  for (Index d = 0; d < dimensions; ++d) set_entry(start.variation, d, interpolated(entries(w, d, 1), to));
  return start;
}

std::vector<Real> MultiscaleBarycenter::interpolated(const Field& values, const Level& to) const {
  const Grid& coarse = *levels_[level_].support.grid();
  const auto wanted = [&](int rank) {
    return planes_for_interpolation(coarse, *to.support.grid(), to.rows.partition.block(rank));
  };
  const std::vector<Real> planes = processes_.along_rows().take_items(
      planes_of(map_->problem().rows, coarse), plane_points(coarse), host_values(values), wanted);
  return interpolate(coarse, planes, *to.support.grid(), to.rows.range(), wanted(processes_.along_rows().rank()).begin);
}

}  // namespace hpot
