#include "hpot/problem/plan_search.hpp"

#include "certificates.hpp"
#include "hpot/core/field.hpp"
#include "plan_boxes.hpp"

#include <stdexcept>

namespace hpot {
namespace {

using Policy = Kokkos::RangePolicy<ExecutionSpace, Kokkos::IndexType<Index>>;
using Indices = Kokkos::View<Index*, MemorySpace>;
using Values = Kokkos::View<Real*, MemorySpace>;

/// All ranks' `local` on level 0, room for the levels above.
BoxValues gathered(const BoxLevels& boxes, const OwnedRows& rows, const ConstField& local) {
  const BoxValues values(Kokkos::view_alloc("hpot::PlanSearch::boxes", Kokkos::WithoutInitializing),
                         boxes.first[boxes.top + 1]);
  rows.along_rows.gather_points(local, Field(values.data(), 1, boxes.first[1]), rows.partition.offsets());
  return values;
}

/// The same, and the levels above.
BoxValues boxed(const PlanSearch& search, const OwnedRows& rows, const ConstField& local) {
  const BoxValues values = gathered(search.boxes, rows, local);
  if (search.tilt.extent(0) == 0) {
    fill_maxima(search.boxes, values);
  } else if (search.source_support.grid() != nullptr) {
    fill_tilted(GridCells{search.boxes}, search.tilt, search.epsilon, values);
  } else {
    fill_tilted(CloudCells{search.boxes, search.target_points, search.ends}, search.tilt, search.epsilon, values);
  }
  return values;
}

/// s/eps, log_zero where the weight is 0.
void divide_where_weight(const ConstField& log_weight, Real epsilon, const Field& s) {
  Kokkos::parallel_for(
      "hpot::PlanSearch::divide", Policy(0, s.extent(1)),
      KOKKOS_LAMBDA(Index i) { s(0, i) = log_weight(0, i) > 0.5 * log_zero ? s(0, i) / epsilon : log_zero; });
}

/// Coordinates of clouds, the targets' boxes and, for |x-y|^2, where the mass of each box comes from.
void place_boxes(const OwnedRows& targets, const ConstField& g, PlanSearch& search) {
  constexpr int bounded_axes = 3;
  const BoxLevels& boxes = search.boxes;
  const Index above = boxes.first[boxes.top + 1] - boxes.first[1];
  const bool cloud = search.source_support.cloud() != nullptr;
  const int axes = std::min(bounded_axes, search.target_support.dimension());
  if (cloud) {
    search.source_points = points_of(search.cost, search.source_support);
    search.target_points = points_of(search.cost, search.target_support);
    search.ends = BoxAxes(Kokkos::view_alloc("hpot::PlanSearch::ends", Kokkos::WithoutInitializing), above, 2 * axes);
    fill_ends(boxes, search.target_points, search.ends);
    if (const auto order = input_order(search.target_support); order != nullptr)
      search.number = device_copy("hpot::PlanSearch::number", *order);
  }
  if (!std::holds_alternative<SquaredEuclidean>(search.cost)) return;
  search.tilt = BoxAxes(Kokkos::view_alloc("hpot::PlanSearch::tilt", Kokkos::WithoutInitializing), above, axes);
  const BoxValues potential = gathered(boxes, targets, g);
  if (cloud) {
    fill_tilt(CloudCells{boxes, search.target_points, search.ends}, potential, search.tilt);
  } else {
    fill_tilt(GridCells{boxes}, potential, search.tilt);
  }
}

}  // namespace

BoxLevels make_boxes(const Support& support) {
  BoxLevels boxes;
  boxes.n[0] = support.points();
  if (const Grid* grid = support.grid(); grid != nullptr) {
    boxes.dimension = grid->dimension();
    for (int d = 0; d < boxes.dimension; ++d) {
      const Axis& axis = grid->axes[boxes.dimension - 1 - d];
      boxes.n[d] = axis.n;
      boxes.origin[d] = axis.origin;
      boxes.spacing[d] = axis.spacing;
    }
  }
  const auto count = [&](int level) { return boxes.side(level, 0) * boxes.side(level, 1) * boxes.side(level, 2); };
  boxes.first[1] = support.points();
  while (count(boxes.top) > 1) {
    ++boxes.top;
    if (boxes.top >= BoxLevels::most) throw std::logic_error("make_boxes: an axis of 2^47 points");
    boxes.first[boxes.top + 1] = boxes.first[boxes.top] + count(boxes.top);
  }
  return boxes;
}

namespace {

PlanSide plan_side(const TransportProblem& problem, Side side, const Support& support, const ConstField& potential) {
  const Marginal& marginal = side_of(problem, side);
  const Field h = make_field("hpot::PlanSearch::log_mass", 1, marginal.rows.local_n());
  add_log_weight(marginal.log_weight, potential, problem.epsilon, h);
  return {marginal, support, potential, h, {}, {}};
}

/// softmin and share, from the other side's potential.
void set_shares(const TransportProblem& problem, Side outputs, const ConstField& potential, PlanSide& side) {
  side.softmin = softmin_at(problem, outputs, potential);
  side.share = copy_of(side.softmin);
  divide_where_weight(side.marginal.log_weight, problem.epsilon, side.share);
}

/// The same with w times the masses.
PlanSide scaled(PlanSide side, const ConstField& w) {
  const ConstField weight = side.marginal.weight;
  const Field scaled = make_unset_field("hpot::PlanSearch::scaled", 1, static_cast<Index>(w.extent(1)));
  const Field log_mass = copy_of(side.log_mass);
  Kokkos::parallel_for(
      "hpot::PlanSearch::scale", Policy(0, w.extent(1)), KOKKOS_LAMBDA(Index i) {
        scaled(0, i) = w(0, i) * weight(0, i);
        if (log_mass(0, i) > 0.5 * log_zero)
          log_mass(0, i) = w(0, i) > 0.0 ? log_mass(0, i) + Kokkos::log(w(0, i)) : log_zero;
      });
  side.marginal.weight = scaled;
  side.log_mass = log_mass;
  return side;
}

/// The rows of `from` and the columns of `to`; by rows alone where `to` has no shares.
PlanSearch search_between(const PlanSide& from, const PlanSide& to, const Cost& cost,
                          std::shared_ptr<const CostMatrix> matrix, Real epsilon) {
  const OwnedRows& rows = from.marginal.rows;
  PlanSearch search{rows,    from.support, to.support, cost, std::move(matrix),
                    epsilon, {},           {},         {},   make_boxes(to.support),
                    {},      {},           {},         {},   {},
                    {},      {},           0.0};
  if (search.matrix == nullptr) place_boxes(to.marginal.rows, to.potential, search);
  search.mass = make_field("hpot::PlanSearch::mass", 1, rows.local_n());
  plan_marginal(from.marginal.weight, from.potential, from.softmin, epsilon, search.mass);
  search.plan_mass = mass(rows, search.mass)[0];
  search.row_share = from.share;
  search.source = from.log_mass;
  if (to.share.extent(0) > 0) search.column = boxed(search, to.marginal.rows, to.share);
  search.target = boxed(search, to.marginal.rows, to.log_mass);
  return search;
}

}  // namespace

PlanSearch make_plan_search(const TransportProblem& problem, const Support& source, const Support& target,
                            const KernelOptions& kernel, const ConstField& f, const ConstField& g, bool by_columns) {
  problem.kernel->set_precision(Precision::full);
  problem.kernel->prepare(problem.epsilon);
  PlanSide a = plan_side(problem, Side::source, source, f);
  PlanSide b = plan_side(problem, Side::target, target, g);
  if (by_columns) set_shares(problem, Side::target, f, b);
  set_shares(problem, Side::source, g, a);
  return search_between(a, b, kernel.cost, kernel.matrix, problem.epsilon);
}

CloudPlan::CloudPlan(const TransportProblem& problem, const PointCloud& source, const PointCloud& target,
                     const Cost& cost, const ConstField& f, const ConstField& g)
    : cost_(cost),
      epsilon_(problem.epsilon),
      source_(plan_side(problem, Side::source, source, f)),
      target_(plan_side(problem, Side::target, target, g)) {
  set_shares(problem, Side::source, g, source_);
  set_shares(problem, Side::target, f, target_);
}

PlanSearch CloudPlan::rows(const ConstField& w) const {
  return search_between(scaled(source_, w), target_, cost_, nullptr, epsilon_);
}

PlanSearch CloudPlan::columns(const ConstField& w) const {
  return search_between(target_, scaled(source_, w), cost_, nullptr, epsilon_);
}

}  // namespace hpot
