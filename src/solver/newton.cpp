#include "hpot/solver/newton.hpp"

#include "conjugate_gradients.hpp"
#include "forecast.hpp"
#include "hpot/core/field.hpp"

#include <algorithm>
#include <cmath>

namespace hpot {
namespace {

constexpr Real stiff = 4000.0;           // rho/eps at which steps gain on sweeps
constexpr Real near_path = 1.0;          // the last move at an eps that may be left
constexpr Real sweeps_of_a_step = 30.0;  // what a step costs, about
constexpr Real longest_step = 50.0;      // change of a potential, in units of eps
constexpr Real longest_on_cloud = 4.0;   // what holds a heap changes over a few eps
constexpr Real smoothed = 0.8;           // of the error of the sweep before: then sweeps have smoothed what they can
constexpr Real most_damping = 1e-3;      // of c~, in clouds; no more than the error
constexpr Real small_move = 0.1;         // in the same unit: sweeps make up for it
constexpr Index products_of_kept_plan = 10;  // softmins, averages and searches of one, about
constexpr int most_shortenings = 6;
constexpr int most_stalls = 3;    // steps in turn that win less than a tenth of the error
constexpr int most_failures = 3;  // until Newton's method is given up

Field field_like(const char* label, const Field& other) {
  return make_unset_field(label, 1, static_cast<Index>(other.extent(1)));
}

/// rho of kl, infinity without: a half-step brings potentials nearer by rho/(rho + eps) [Chizat 2018].
Real elasticity(const Marginal& marginal) {
  const auto* kl = std::get_if<KullbackLeibler>(&marginal.penalty);
  return kl == nullptr ? infinity : kl->rho;
}

class NewtonFinish final : public Acceleration {
 public:
  NewtonFinish(AccelerationOptions mixing, const FinishOptions& finish, MultiscaleSinkhorn& problem)
      : mixing_options_(std::move(mixing)),
        problem_(problem),
        first_below_(finish.below),
        at_once_(finish.finish == "newton"),
        keeps_weights_(finish.keeps_weights) {}

  void reset(const FixedPointMap& map, Real tolerance) override {
    leave_steps();
    mixing().reset(map, tolerance);
    tolerance_ = tolerance;
    below_ = first_below_;
    failures_ = 0;
    stepped_ = false;
    forecast_ = Forecast(tolerance);
  }

  void advance(FixedPointMap& map, Real error) override {
    if (!stepping_) {
      forecast_.record(error);
      if (!steps_pay(error)) {
        mixing().advance(map, error);
        return;
      }
      mixing_.reset();
      stepping_ = true;
      if (mixing_options_.type == "overrelaxation") {  // steps need an f that meets its marginal
        map.relax(1.0);
        map.accept();
        return;
      }
    }
    if (!pending_ && error < smoothed * error_swept_) {
      error_swept_ = error;
      map.accept();
    } else if (!pending_) {
      step(map, error);
    } else if (!ascended(map, error)) {
      shorten(map, error);
    } else {
      pending_ = false;
      stepped_ = true;
      stalls_ = error > 0.9 * error_before_ ? stalls_ + 1 : 0;
      if (stalls_ == most_stalls) {
        give_up(map, error);
      } else {
        error_swept_ = on_grid() ? 0.0 : infinity;
        map.accept();  // a sweep smooths what the step has left
      }
    }
  }

  [[nodiscard]] bool content(Real error) const override {
    const TransportProblem& problem = problem_.map().problem();
    const bool on_path = !far_off() || (stepped_ && last_move_ <= near_path * problem.epsilon);
    const bool helpless =
        error == 0.0 || failures_ > 0 || below_ < tolerance_ || !sweeps_are_slow() || !DualHessian::supports(problem);
    return on_path || helpless;
  }

  [[nodiscard]] bool can_go_back() const override { return stepping_ ? pending_ : mixing_->can_go_back(); }

  [[nodiscard]] Index extra_sweeps() override {
    const Index sweeps = products_ / 2;
    products_ %= 2;
    return sweeps;
  }

  void archive(Archive& archive) override {
    archive.number("newton/stepping", stepping_);
    archive.number("newton/below", below_);
    archive.number("newton/failures", failures_);
    archive.number("newton/stepped", stepped_);
    archive.number("newton/last_move", last_move_);
    forecast_.archive(archive);
    archive.number("newton/products", products_);
    if (!stepping_) {
      mixing().archive(archive);
      return;
    }
    if (archive.loads()) mixing_.reset();
    archive.number("newton/pending", pending_);
    archive.number("newton/length", length_);
    archive.number("newton/slope_before", slope_before_);
    archive.number("newton/error_before", error_before_);
    archive.number("newton/shortenings", shortenings_);
    archive.number("newton/stalls", stalls_);
    archive.number("newton/error_swept", error_swept_);
    archive.field("newton/base", base_);
    archive.field("newton/direction", direction_);
  }

 private:
  Acceleration& mixing() {
    if (mixing_ == nullptr) mixing_ = make_acceleration(mixing_options_);
    return *mixing_;
  }

  [[nodiscard]] bool steps_pay(Real error) const {
    if (!(error <= below_) || !DualHessian::supports(problem_.map().problem())) return false;
    return at_once_ ||
           (sweeps_are_slow() && ((far_off() && !stepped_) || forecast_.sweeps_left(error) > sweeps_of_a_step));
  }

  [[nodiscard]] bool on_grid() const { return problem_.target_support().grid() != nullptr; }

  [[nodiscard]] bool sweeps_are_slow() const {
    const TransportProblem& problem = problem_.map().problem();
    return std::min(elasticity(problem.source), elasticity(problem.target)) > stiff * problem.epsilon;
  }

  [[nodiscard]] bool far_off() const { return last_move_ > small_move * problem_.map().problem().epsilon; }

  [[nodiscard]] DualHessian hessian_at(const Field& g) {
    products_ += 1;
    return DualHessian(problem_.map().problem(), problem_.map().f(), g);
  }

  /// Whether the pending step may stand.
  bool ascended(FixedPointMap& map, Real error) {
    slope_ = -infinity;
    if (!std::isfinite(error)) return false;
    if (error <= 0.5 * error_before_) return true;
    slope_ = hessian_at(map.state()[0]).slope_along(direction_);
    return slope_ >= -0.5 * slope_before_ && (!on_grid() || error <= 2.0 * error_before_);
  }

  /// Keeps what many averages take, where there is room for it; false where steps cannot do without, and there is none.
  bool keep(DualHessian& hessian, const Field& g, Real error) {
    if (on_grid()) {
      if (keeps_weights_) hessian.fix_row_averages();
      return true;
    }
    auto plan =
        KeptPlan::of(problem_.map().problem(), *problem_.source_support().cloud(), *problem_.target_support().cloud(),
                     problem_.cost(), problem_.map().f(), g, FinishOptions::most_entries);
    products_ += products_of_kept_plan;
    if (plan) hessian.keep_plan(std::move(*plan), std::min(most_damping, error));
    return hessian.kept_plan() != nullptr;
  }

  [[nodiscard]] BlockSpace blocks_of(const DualHessian& hessian, Real epsilon) const {
    if (hessian.kept_plan() != nullptr) return runs_of(hessian.rows(), hessian.kept_plan()->entries_of_a_row());
    const Grid& grid = *problem_.target_support().grid();
    return {grid, hessian.rows(), block_sides(problem_.cost(), grid, epsilon)};
  }

  void step(FixedPointMap& map, Real error) {
    const Field g = map.state()[0];
    base_ = {};
    direction_ = {};
    DualHessian hessian = hessian_at(g);
    if (!keep(hessian, g, error)) {
      give_up_for_good(map);
      return;
    }
    const Field work = field_like("hpot::Newton::work", g);
    const Real epsilon = problem_.map().problem().epsilon;
    const BlockSpace blocks = blocks_of(hessian, epsilon);
    const DualPreconditioner preconditioner(hessian, &blocks, work);
    if (keeps_weights_ && hessian.kept_plan() == nullptr) hessian.fix_averages();
    direction_ = field_like("hpot::Newton::direction", g);
    const Real reduction = std::max(std::min(0.1, std::sqrt(error)), std::min(0.2, 0.3 * tolerance_ / error));
    const Index steps = conjugate_gradients(hessian, preconditioner, direction_, work, reduction);
    products_ += preconditioner.kernel_products() + (hessian.kept_plan() == nullptr ? 2 * steps : 0);
    last_move_ = epsilon * hessian.typical(direction_);
    clamp(direction_, on_grid() ? longest_step : longest_on_cloud);
    length_ = 1.0;
    combine(epsilon, direction_, 0.0, direction_);
    Kokkos::deep_copy(work, map.image()[0]);  // points without weight follow the sweep
    combine(-1.0, g, 1.0, work);
    hessian.set_unweighted(work, direction_);
    base_ = copy_of(g);
    shortenings_ = 0;
    slope_before_ = hessian.slope_along(direction_);
    error_before_ = error;
    if (!(slope_before_ > 0.0)) {
      give_up(map, error);
      return;
    }
    pending_ = true;
    combine(length_, direction_, 1.0, g);
  }

  void shorten(FixedPointMap& map, Real error) {
    const Field g = map.state()[0];
    Kokkos::deep_copy(g, base_);
    if (++shortenings_ > most_shortenings) {
      give_up_at(map, std::min(error, error_before_));
      return;
    }
    const Real secant = std::isfinite(slope_) ? slope_before_ / (slope_before_ - slope_) : 0.0;
    length_ *= std::clamp(secant, 0.1, 0.5);
    combine(length_, direction_, 1.0, g);
  }

  /// Sweeps again, from the present g or, where that is worse, from the one before.
  void give_up(FixedPointMap& map, Real error) {
    if (error <= error_before_) {
      map.accept();
    } else {
      Kokkos::deep_copy(map.state()[0], base_);
    }
    give_up_at(map, std::min(error, error_before_));
  }

  void give_up_at(const FixedPointMap& map, Real error) {
    leave_steps();
    ++failures_;
    below_ = failures_ < most_failures ? 0.1 * error : 0.0;
    mixing().reset(map, tolerance_);
    forecast_ = Forecast(tolerance_);
  }

  void give_up_for_good(const FixedPointMap& map) {
    leave_steps();
    failures_ = most_failures;
    below_ = 0.0;
    mixing().reset(map, tolerance_);
  }

  void leave_steps() {
    stepping_ = false;
    pending_ = false;
    stalls_ = 0;
    error_swept_ = 0.0;
    shortenings_ = 0;
    base_ = {};
    direction_ = {};
  }

  AccelerationOptions mixing_options_;
  MultiscaleSinkhorn& problem_;
  Real first_below_;
  bool at_once_;
  bool keeps_weights_;
  Real tolerance_ = 0.0;  // of the stage

  std::unique_ptr<Acceleration> mixing_;  // none while Newton steps
  Real below_ = 0.0;
  int failures_ = 0;
  bool stepped_ = false;  // at this eps
  Forecast forecast_;
  Real last_move_ = infinity;  // of potentials, by the last step, root mean square
  bool stepping_ = false;
  Index products_ = 0;  // not yet counted as sweeps

  // the step whose end the next evaluation judges: g = base + length direction
  bool pending_ = false;
  Field base_, direction_;
  Real length_ = 1.0;
  Real slope_before_ = 0.0;
  Real slope_ = 0.0;  // at its end
  Real error_before_ = infinity;
  int shortenings_ = 0;
  int stalls_ = 0;
  Real error_swept_ = 0.0;  // by sweeps that smooth, the last one's; 0: no more of them
};

}  // namespace

std::vector<OptionKey> FinishOptions::keys() {
  return {
      {"acceleration.finish", "auto",
       "newton: at every eps, Newton steps on the dual where the error is at most acceleration.finish_below; auto: "
       "there, where potentials are far off or many sweeps to go, on grids; none: sweeps only. On clouds newton is for "
       "heaps of points far from one another",
       check::one_of({"auto", "none", "newton"})},
      {"acceleration.finish_below", "1e-2", "the marginal error at which Newton steps begin", check::real(1e-15, 1.0)},
  };
}

FinishOptions FinishOptions::from(const Options& options) {
  return {options.text("acceleration.finish"), options.real("acceleration.finish_below"), true};
}

std::unique_ptr<Acceleration> make_newton_finish(const AccelerationOptions& mixing, const FinishOptions& finish,
                                                 MultiscaleSinkhorn& problem) {
  return std::make_unique<NewtonFinish>(mixing, finish, problem);
}

}  // namespace hpot
