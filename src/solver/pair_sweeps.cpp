#include "hpot/solver/pair_sweeps.hpp"

#include "hpot/core/field.hpp"
#include "hpot/measure/pyramid.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>
#include <utility>

namespace hpot {
namespace {

using Buffer = Kokkos::View<Real*, MemorySpace>;
using Weights = std::vector<std::vector<Real>>;

MeasureTable make_table(const Support& support, const Weights& weights, const Communicator& alone) {
  const OwnedRows rows = own_rows(support, alone);
  const Field all = make_unset_field("hpot::PairSweeps::weights", static_cast<Index>(weights.size()), rows.local_n());
  for (std::size_t k = 0; k < weights.size(); ++k) set_entry(all, static_cast<Index>(k), weights[k]);
  const Marginal marginal = make_marginal(rows, all, Balanced{});
  return {rows, marginal.weight, marginal.log_weight};
}

/// Support and weights of the next coarser level.
Support coarsen_all(const Support& support, Weights& weights) {
  Support coarse;
  for (auto& of_measure : weights) std::tie(coarse, of_measure) = coarsen(support, of_measure);
  return coarse;
}

Field rows_of(const Buffer& buffer, Index rows, Index points) { return Field(buffer.data(), rows, points); }

Buffer make_buffer(const char* label, Index values) { return Buffer(label, static_cast<std::size_t>(values)); }

EntryIndices indices_of(const std::vector<Index>& values) {
  const EntryIndices view("hpot::PairSweeps::indices", values.size());
  const Kokkos::View<const Index*, Kokkos::HostSpace, Kokkos::MemoryUnmanaged> host(values.data(), values.size());
  Kokkos::deep_copy(view, host);
  return view;
}

std::vector<Index> all_of(Index count) {
  std::vector<Index> all(count);
  std::iota(all.begin(), all.end(), Index{0});
  return all;
}

}  // namespace

Real values_of_pair(Index source_points, Index target_points, Index slots) {
  const auto larger = static_cast<Real>(std::max(source_points, target_points));
  return 2.0 * larger + (4.0 + 0.5 * static_cast<Real>(stored_slots(slots) + slots)) * static_cast<Real>(target_points);
}

PairSweeps::PairSweeps(const KernelOptions& kernel, PairMeasures measures, MarginalPenalty source_penalty,
                       MarginalPenalty target_penalty, Precision precision, Index smallest_side, Index capacity,
                       Index slots, const Communicator& alone)
    : kernel_(kernel),
      source_penalty_(source_penalty),
      target_penalty_(target_penalty),
      precision_(precision),
      symmetric_(measures.symmetric),
      capacity_(capacity),
      used_slots_(slots),
      slots_(stored_slots(slots)) {
  const bool same = measures.targets.empty();
  Weights sources = std::move(measures.sources);
  Weights targets = std::move(measures.targets);
  Support source_support = measures.source_support;
  Support target_support = measures.target_support;
  const int count = std::min(count_levels(source_support, smallest_side), count_levels(target_support, smallest_side));
  for (int l = 0; l < count; ++l) {
    if (l > 0) source_support = coarsen_all(source_support, sources);
    if (l > 0) target_support = same ? source_support : coarsen_all(target_support, targets);
    const MeasureTable source = make_table(source_support, sources, alone);
    const MeasureTable target = same ? source : make_table(target_support, targets, alone);
    levels_.push_back({source_support, target_support, source, target,
                       make_kernel(kernel_, source_support, source.rows, target_support, target.rows)});
  }
  const Level& finest = levels_[0];
  source_mass_ = mass(finest.source.rows, finest.source.weight);
  target_mass_ = same ? source_mass_ : mass(finest.target.rows, finest.target.weight);
  const Index n = finest.target.rows.local_n();
  const Index larger = std::max(n, finest.source.rows.local_n());
  g_buffer_ = make_buffer("hpot::PairSweeps::g", capacity * n);
  image_buffer_ = make_buffer("hpot::PairSweeps::image", capacity * n);
  h_buffer_ = make_buffer("hpot::PairSweeps::h", capacity * larger);
  s_buffer_ = make_buffer("hpot::PairSweeps::s", capacity * larger);
  if (slots_ == 0) return;
  residuals_buffer_ = ShortBuffer("hpot::PairSweeps::residuals", capacity * slots_ * n);
  images_buffer_ = ShortBuffer("hpot::PairSweeps::images", capacity * slots * n);
  last_residual_buffer_ = make_buffer("hpot::PairSweeps::last_residual", capacity * n);
  last_image_buffer_ = make_buffer("hpot::PairSweeps::last_image", capacity * n);
}

void PairSweeps::begin(const std::vector<MeasurePair>& pairs) {
  if (static_cast<Index>(pairs.size()) > capacity_) throw std::logic_error("PairSweeps: more pairs than there is room");
  pairs_ = pairs;
  level_ = -1;
  reasons_.assign(pairs.size(), StopReason::converged);
  sweeps_.assign(pairs.size(), 0);
  std::vector<Index> sources, targets, self;
  for (const MeasurePair& pair : pairs) {
    self.push_back(symmetric_ && pair.source == pair.target ? 1 : 0);
    sources.push_back(pair.source);
    targets.push_back(pair.target);
  }
  of_source_.measure = indices_of(sources);
  of_target_.measure = indices_of(targets);
  of_source_.self = of_target_.self = indices_of(self);
  keep_active(all_of(this->pairs()));
}

void PairSweeps::keep_active(std::vector<Index> active) {
  if (active == active_ && of_source_.count == static_cast<Index>(active.size())) return;
  active_ = std::move(active);
  of_source_.active = of_target_.active = indices_of(active_);
  of_source_.count = of_target_.count = static_cast<Index>(active_.size());
}

Real PairSweeps::scale(Index pair) const {
  const Real m = target_mass_[pairs_[pair].target];
  return m > 0.0 ? std::ldexp(1.0, -std::ilogb(m)) : 1.0;
}

void PairSweeps::size_fields(int level) {
  level_ = level;
  const Index n = levels_[level].target.rows.local_n();
  g_ = rows_of(g_buffer_, pairs(), n);
  image_ = rows_of(image_buffer_, pairs(), n);
  memory_ = {used_slots_,
             slots_,
             ShortField(residuals_buffer_.data(), pairs(), n * slots_),
             ShortField(images_buffer_.data(), pairs(), n * used_slots_),
             rows_of(last_residual_buffer_, pairs(), n),
             rows_of(last_image_buffer_, pairs(), n)};
}

FixedPointMap& PairSweeps::enter(int level) {
  if (level == level_) return *this;
  if (level_ >= 0) {
    carry(level);
  } else {
    size_fields(level);
    Kokkos::deep_copy(g_, 0.0);
  }
  levels_[level].kernel->set_precision(precision_);
  return *this;
}

void PairSweeps::set_epsilon(Real epsilon) {
  epsilon_ = epsilon;
  levels_[level_].kernel->prepare(epsilon);
  std::vector<Index> active;
  for (Index e = 0; e < pairs(); ++e) {
    if (reasons_[e] == StopReason::converged) active.push_back(e);
  }
  keep_active(std::move(active));
}

Field PairSweeps::source_half_step() {
  const Level& level = levels_[level_];
  const Index count = of_target_.count;
  const Index points = level.source.rows.local_n();
  const Field h_target = rows_of(h_buffer_, count, level.target.rows.local_n());
  const Field h_source = rows_of(h_buffer_, count, points);
  const Field f = rows_of(s_buffer_, count, points);
  add_log_weights(of_target_, level.target.log_weight, g_, epsilon_, h_target);
  level.kernel->softmin_spoiling(Side::source, h_target, f);
  add_log_weights_of_prox(of_source_, level.source.log_weight, source_penalty_, f, epsilon_, h_source, image_);
  return h_source;
}

Real PairSweeps::evaluate() {
  errors_.clear();
  if (active_.empty()) return 0.0;
  const Level& level = levels_[level_];
  clamp_to_domain(target_penalty_, g_);  // mixing may leave it
  const Field h = source_half_step();
  const auto* kl_a = std::get_if<KullbackLeibler>(&source_penalty_);
  std::vector<Real> sums_of_source;
  if (kl_a != nullptr && std::holds_alternative<KullbackLeibler>(target_penalty_)) {
    const Field f = rows_of(s_buffer_, of_source_.count, level.source.rows.local_n());
    sums_of_source = exponential_masses(of_source_, level.source, f, true, kl_a->rho);
  }
  // s = softmin(log a + f/eps), image = prox_b(s)
  const Field s = rows_of(s_buffer_, of_target_.count, level.target.rows.local_n());
  level.kernel->softmin_spoiling(Side::target, h, s);
  errors_ = prox_and_residuals(of_target_, level.target, target_penalty_, g_, s, epsilon_, image_);
  if (!sums_of_source.empty()) shift_images(sums_of_source);
  Real worst = 0.0;
  for (std::size_t c = 0; c < active_.size(); ++c) {
    ++sweeps_[active_[c]];
    errors_[c] /= target_mass_[pairs_[active_[c]].target];
    if (!(errors_[c] <= worst)) worst = errors_[c];  // NaN wins
  }
  return worst;
}

/// image -= t, t = rho_a rho_b/(rho_a+rho_b) [log sum a exp(-f/rho_a) - log sum b exp(-g/rho_b)] of every pair.
void PairSweeps::shift_images(const std::vector<Real>& sums_of_source) {
  const Real rho_a = std::get<KullbackLeibler>(source_penalty_).rho;
  const Real rho_b = std::get<KullbackLeibler>(target_penalty_).rho;
  const std::vector<Real> sums = exponential_masses(of_target_, levels_[level_].target, image_, false, rho_b);
  std::vector<Real> shifts(sums.size(), 0.0);
  for (std::size_t c = 0; c < sums.size(); ++c) {
    const Real t = rho_a * rho_b / (rho_a + rho_b) * (std::log(sums_of_source[c]) - std::log(sums[c]));
    if (sums_of_source[c] > 0.0 && sums[c] > 0.0 && std::isfinite(t)) shifts[c] = -t;
  }
  add_shifts(of_target_, shifts, image_);
}

/// As MultiscaleSinkhorn::carried_potential, for all pairs of the chunk.
void PairSweeps::carry(int to_level) {
  const Level& from = levels_[level_];
  const Level& to = levels_[to_level];
  auto& between = between_[{level_, to_level}];
  if (between == nullptr)
    between = make_kernel(kernel_, from.source_support, from.source.rows, to.target_support, to.target.rows);
  between->prepare(epsilon_);
  between->set_precision(precision_);
  keep_active(all_of(pairs()));
  const Field h = source_half_step();
  const Field s = rows_of(s_buffer_, pairs(), to.target.rows.local_n());
  between->softmin_spoiling(Side::target, h, s);
  size_fields(to_level);
  apply_prox(target_penalty_, s, epsilon_, g_);
}

void PairSweeps::accept() {
  MixingStep step;
  step.kind.assign(active_.size(), MixingStep::accept);
  take_step(of_target_, step, image_, memory_, g_);
}

std::vector<Real> PairSweeps::dots(const std::vector<Field>&, const std::vector<std::vector<Field>>&) const {
  throw std::logic_error("PairSweeps: products are of one pair each");
}

std::vector<Real> PairSweeps::neighbour_costs() const {
  std::vector<Real> costs;
  for (const Level& level : levels_) costs.push_back(neighbour_cost(kernel_.cost, level.target_support));
  return costs;
}

std::vector<PairResult> PairSweeps::finish(Real cost_bound) {
  const Level& level = levels_[level_];
  keep_active(all_of(pairs()));
  level.kernel->set_precision(Precision::full);
  source_half_step();
  const auto marginal = [&](const ActiveEntries& entries, const MeasureTable& table, const MarginalPenalty& penalty) {
    return Marginal{table.rows, rows_of_entries(entries, table.weight), rows_of_entries(entries, table.log_weight),
                    penalty};
  };
  const TransportProblem problem{marginal(of_source_, level.source, source_penalty_),
                                 marginal(of_target_, level.target, target_penalty_), level.kernel, epsilon_};
  const Field f = rows_of(s_buffer_, pairs(), level.source.rows.local_n());
  const std::vector<TransportValues> values = evaluate_batch(problem, f, g_, cost_bound);
  std::vector<PairResult> results;
  for (Index e = 0; e < pairs(); ++e) {
    const bool lost = reasons_[e] == StopReason::diverged;
    results.push_back({lost ? TransportValues{infinity, infinity} : values[e], sweeps_[e], reasons_[e]});
  }
  return results;
}

}  // namespace hpot
