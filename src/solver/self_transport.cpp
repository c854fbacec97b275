#include "hpot/solver/self_transport.hpp"

#include "hpot/core/field.hpp"
#include "hpot/measure/pyramid.hpp"

#include <cmath>
#include <utility>

namespace hpot {

SelfTransportMap::SelfTransportMap(TransportProblem problem, const Field& f) : problem_(std::move(problem)), f_(f) {
  const Marginal& a = problem_.source;
  mass_ = mass(a.rows, a.weight)[0];
  share_ = quotient(a.weight, mass_ > 0.0 ? std::ldexp(1.0, std::ilogb(mass_)) : 1.0);
  if (f_.extent(0) == 0) f_ = make_field("hpot::SelfTransport::f", 1, a.rows.local_n());
  image_ = make_field("hpot::SelfTransport::image", 1, a.rows.local_n());
  h_ = make_field("hpot::SelfTransport::h", 1, a.rows.local_n());
}

void SelfTransportMap::set_epsilon(Real epsilon) {
  problem_.epsilon = epsilon;
  problem_.kernel->prepare(epsilon);
}

Real SelfTransportMap::evaluate() {
  const Marginal& a = problem_.source;
  const Real epsilon = problem_.epsilon;
  clamp_to_domain(a.penalty, f_);  // mixing sweeps may leave it
  // s = softmin(log a + f/eps)
  add_log_weight(a.log_weight, f_, epsilon, h_);
  problem_.kernel->softmin_spoiling(Side::source, h_, image_);
  // residual of (f, f), then f' = (f + prox(s))/2
  const Real error = residual(a, f_, image_, epsilon)[0] / mass_;
  apply_prox(a.penalty, image_, epsilon, image_);
  combine(0.5, f_, 0.5, image_);
  return error;
}

void SelfTransportMap::accept() { std::swap(f_, image_); }

std::vector<Real> SelfTransportMap::dots(const std::vector<Field>& x, const std::vector<std::vector<Field>>& ys) const {
  std::vector<Field> fields;
  for (const auto& y : ys) fields.push_back(y[0]);
  return weighted_dots(problem_.source.rows, share_, x[0], fields);
}

MultiscaleSelfTransport::MultiscaleSelfTransport(const KernelOptions& kernel, SelfTransportData data,
                                                 const Communicator& along_rows, Index smallest_side,
                                                 Precision precision)
    : kernel_(kernel), penalty_(data.penalty), precision_(precision) {
  const int count = count_levels(data.support, smallest_side);
  levels_ = make_measure_levels(std::move(data.support), std::move(data.weights), along_rows, count);
}

std::vector<Real> MultiscaleSelfTransport::neighbour_costs() const {
  std::vector<Real> costs;
  for (const MeasureLevel& level : levels_) costs.push_back(neighbour_cost(kernel_.cost, level.support));
  return costs;
}

FixedPointMap& MultiscaleSelfTransport::enter(int level) {
  if (map_ != nullptr && level == level_) return *map_;
  MeasureLevel& data = levels_[level];
  const Field f = map_ == nullptr ? Field() : carried_potential(level);
  map_.reset();  // before the next one takes its memory
  const Marginal side = make_marginal(
      data.rows, make_field("hpot::SelfTransport::weights", 1, std::exchange(data.weights, {})), penalty_);
  const auto kernel = make_kernel(kernel_, data.support, data.rows, data.support, data.rows);
  kernel->set_precision(precision_);
  map_ = std::make_unique<SelfTransportMap>(TransportProblem{side, side, kernel}, f);
  level_ = level;
  return *map_;
}

/// f at the new points: prox of the softmin over the old ones.
Field MultiscaleSelfTransport::carried_potential(int to_level) const {
  const TransportProblem& old = map_->problem();
  const MeasureLevel& to = levels_[to_level];
  const auto between = make_kernel(kernel_, levels_[level_].support, old.source.rows, to.support, to.rows);
  between->prepare(old.epsilon);
  between->set_precision(precision_);
  const Field h = make_field("hpot::SelfTransport::carried_h", 1, old.source.rows.local_n());
  const Field f = make_field("hpot::SelfTransport::carried", 1, to.rows.local_n());
  add_log_weight(old.source.log_weight, map_->f(), old.epsilon, h);
  between->softmin_spoiling(Side::target, h, f);
  apply_prox(penalty_, f, old.epsilon, f);
  return f;
}

}  // namespace hpot
