#include "hpot/solver/sinkhorn.hpp"

#include "hpot/core/field.hpp"
#include "hpot/measure/pyramid.hpp"

#include <algorithm>
#include <cmath>

namespace hpot {

SinkhornMap::SinkhornMap(TransportProblem problem) : problem_(std::move(problem)) {
  const Marginal& a = problem_.source;
  const Marginal& b = problem_.target;
  source_mass_ = mass(a.rows, a.weight);
  target_mass_ = mass(b.rows, b.weight);
  const Index batch = static_cast<Index>(a.weight.extent(0));
  f_ = make_field("hpot::Sinkhorn::f", batch, a.rows.local_n());
  g_ = make_field("hpot::Sinkhorn::g", batch, b.rows.local_n());
  image_ = make_field("hpot::Sinkhorn::image", batch, b.rows.local_n());
  h_source_ = make_field("hpot::Sinkhorn::h_source", batch, a.rows.local_n());
  h_target_ = make_field("hpot::Sinkhorn::h_target", batch, b.rows.local_n());
}

void SinkhornMap::set_epsilon(Real epsilon) {
  problem_.epsilon = epsilon;
  problem_.kernel->prepare(epsilon);
}

Real SinkhornMap::evaluate() {
  const Marginal& a = problem_.source;
  const Marginal& b = problem_.target;
  const Real epsilon = problem_.epsilon;
  // f = prox_a(softmin(log b + g/eps))
  add_log_weight(b.log_weight, g_, epsilon, h_target_);
  problem_.kernel->softmin(Side::source, h_target_, f_);
  apply_prox(a.penalty, f_, epsilon, f_);
  // s = softmin(log a + f/eps)
  add_log_weight(a.log_weight, f_, epsilon, h_source_);
  problem_.kernel->softmin(Side::target, h_source_, image_);
  // residual of (f, g), then g' = prox_b(s)
  const std::vector<Real> errors = residual(b, g_, image_, epsilon);
  apply_prox(b.penalty, image_, epsilon, image_);
  shift_image();
  Real worst = 0.0;
  for (std::size_t k = 0; k < errors.size(); ++k) {
    const Real relative = errors[k] / target_mass_[k];
    if (!(relative <= worst)) worst = relative;  // NaN wins
  }
  return worst;
}

/// g -= t with t = rho_a rho_b/(rho_a+rho_b) [log sum a exp(-f/rho_a) - log sum b exp(-g/rho_b)]; the next f follows.
void SinkhornMap::shift_image() {
  const auto* kl_a = std::get_if<KullbackLeibler>(&problem_.source.penalty);
  const auto* kl_b = std::get_if<KullbackLeibler>(&problem_.target.penalty);
  if (kl_a == nullptr || kl_b == nullptr || g_.extent(0) != 1) return;
  const Real sum_a = source_mass_[0] - dual_term(problem_.source, f_)[0] / kl_a->rho;
  const Real sum_b = target_mass_[0] - dual_term(problem_.target, image_)[0] / kl_b->rho;
  if (!(sum_a > 0.0 && sum_b > 0.0 && std::isfinite(sum_a) && std::isfinite(sum_b))) return;
  const Real t = kl_a->rho * kl_b->rho / (kl_a->rho + kl_b->rho) * (std::log(sum_a) - std::log(sum_b));
  add_constant(image_, -t);
}

void SinkhornMap::accept() { std::swap(g_, image_); }

std::vector<Real> SinkhornMap::dots(const std::vector<Field>& x, const std::vector<std::vector<Field>>& ys) const {
  std::vector<Field> fields;
  for (const auto& y : ys) fields.push_back(y[0]);
  return weighted_dots(problem_.target.rows, problem_.target.weight, x[0], fields);
}

namespace {

Field local_weights(const OwnedRows& rows, const std::vector<Real>& all) {
  const Range range = rows.range();
  return make_field("hpot::weights", 1, std::vector<Real>(all.begin() + range.begin, all.begin() + range.end));
}

}  // namespace

MultiscaleSinkhorn::MultiscaleSinkhorn(const KernelOptions& kernel, const TransportData& data,
                                       const Communicator& along_rows, Index smallest_side)
    : kernel_(kernel),
      source_penalty_(data.source_penalty),
      target_penalty_(data.target_penalty),
      along_rows_(along_rows) {
  const auto source_grids = make_levels(data.source_grid, smallest_side);
  const auto target_grids = make_levels(data.target_grid, smallest_side);
  levels_.push_back({data.source_grid, data.target_grid, data.source, data.target});
  for (std::size_t l = 1; l < std::min(source_grids.size(), target_grids.size()); ++l) {
    const Level& fine = levels_.back();
    levels_.push_back({source_grids[l], target_grids[l], coarsen(fine.source_grid, fine.source),
                       coarsen(fine.target_grid, fine.target)});
  }
}

std::vector<Real> MultiscaleSinkhorn::neighbour_costs() const {
  std::vector<Real> costs;
  for (const Level& level : levels_) costs.push_back(neighbour_cost(kernel_.cost, level.target_grid));
  return costs;
}

FixedPointMap& MultiscaleSinkhorn::enter(int level) {
  if (map_ != nullptr && level == level_) return *map_;
  const Level& data = levels_[level];
  const OwnedRows source_rows = own_rows(data.source_grid, along_rows_);
  const OwnedRows target_rows = own_rows(data.target_grid, along_rows_);
  TransportProblem problem{make_marginal(source_rows, local_weights(source_rows, data.source), source_penalty_),
                           make_marginal(target_rows, local_weights(target_rows, data.target), target_penalty_),
                           make_kernel(kernel_, data.source_grid, source_rows, data.target_grid, target_rows)};
  problem.kernel->set_precision(precision_);
  auto map = std::make_unique<SinkhornMap>(std::move(problem));
  if (map_ != nullptr) Kokkos::deep_copy(map->state()[0], carried_potential(*map_, level_, level, target_rows));
  map_ = std::move(map);
  level_ = level;
  return *map_;
}

/// g on the new grid: softmin over the old source points, evaluated at the new target points. Never a copy: potentials
/// are samples of the function that softmin defines everywhere.
Field MultiscaleSinkhorn::carried_potential(const SinkhornMap& from, int from_level, int to_level,
                                            const OwnedRows& target_rows) const {
  const TransportProblem& old = from.problem();
  const auto between = make_kernel(kernel_, levels_[from_level].source_grid, old.source.rows,
                                   levels_[to_level].target_grid, target_rows);
  between->prepare(old.epsilon);
  between->set_precision(precision_);
  const Field h = make_field("hpot::Sinkhorn::carried_h", 1, old.source.rows.local_n());
  const Field g = make_field("hpot::Sinkhorn::carried", 1, target_rows.local_n());
  add_log_weight(old.source.log_weight, from.f(), old.epsilon, h);
  between->softmin(Side::target, h, g);
  apply_prox(old.target.penalty, g, old.epsilon, g);
  return g;
}

}  // namespace hpot
