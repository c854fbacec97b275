#include "hpot/core/lbfgs.hpp"

#include <lbfgs.h>

#include <algorithm>
#include <exception>
#include <memory>
#include <new>

namespace hpot {
namespace {

/// What the library calls back with. Exceptions must not cross it: after one, or once a point ends the minimisation, it is
/// given the values of the last point until it gives up.
class Walk {
 public:
  Walk(const SmoothFunction& function, std::vector<Real>& x) : function_(function), x_(x), gradient_(x.size(), 0.0) {}

  Real evaluate(const Real* at, Real* gradient) {
    if (!ended_) {
      try {
        const std::vector<Real> point(at, at + x_.size());
        std::vector<Real> slope(x_.size(), 0.0);
        const Real value = function_.evaluate(point, slope);
        if (!started_) accept(point, value, slope);
        std::copy(slope.begin(), slope.end(), gradient);
        return value;
      } catch (...) {
        ended_ = true;
        error_ = std::current_exception();
      }
    }
    std::copy(gradient_.begin(), gradient_.end(), gradient);
    return value_;
  }

  /// True where this point is to be the last.
  bool step_to(const Real* at, Real value, const Real* gradient) {
    if (ended_) return true;
    try {
      accept({at, at + x_.size()}, value, {gradient, gradient + x_.size()});
      ++steps_;
    } catch (...) {
      ended_ = true;
      error_ = std::current_exception();
    }
    return ended_;
  }

  [[nodiscard]] bool ended() const { return ended_; }
  [[nodiscard]] Index steps() const { return steps_; }
  void throw_on() const {
    if (error_ != nullptr) std::rethrow_exception(error_);
  }

 private:
  void accept(const std::vector<Real>& point, Real value, const std::vector<Real>& gradient) {
    started_ = true;
    x_ = point;
    value_ = value;
    gradient_ = gradient;
    ended_ = function_.accept(x_, value_, gradient_);
  }

  const SmoothFunction& function_;
  std::vector<Real>& x_;
  Real value_ = 0.0;
  std::vector<Real> gradient_;
  bool started_ = false;
  bool ended_ = false;
  Index steps_ = 0;
  std::exception_ptr error_;
};

Real evaluate(void* walk, const Real* x, Real* gradient, int, Real) {
  return static_cast<Walk*>(walk)->evaluate(x, gradient);
}

int progress(void* walk, const Real* x, const Real* gradient, Real value, Real, Real, Real, int, int, int) {
  return static_cast<Walk*>(walk)->step_to(x, value, gradient) ? 1 : 0;
}

}  // namespace

bool minimise(const SmoothFunction& function, Index memory, std::vector<Real>& x) {
  const std::unique_ptr<Real, void (*)(Real*)> variables(lbfgs_malloc(static_cast<int>(x.size())), lbfgs_free);
  if (variables == nullptr) throw std::bad_alloc();
  lbfgs_parameter_t parameters;
  lbfgs_parameter_init(&parameters);
  parameters.m = static_cast<int>(memory);
  parameters.epsilon = 0.0;  // accept() ends it
  Walk walk(function, x);
  for (Index before = -1;
       walk.steps() != before && !walk.ended();) {  // a line without descent: anew, by steepest descent
    before = walk.steps();
    std::copy(x.begin(), x.end(), variables.get());
    lbfgs(static_cast<int>(x.size()), variables.get(), nullptr, evaluate, progress, &walk, &parameters);
    walk.throw_on();
  }
  return walk.ended();
}

}  // namespace hpot
