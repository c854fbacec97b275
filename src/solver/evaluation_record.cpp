#include "hpot/solver/evaluation_record.hpp"

#include "hpot/core/session.hpp"

#include <cmath>
#include <utility>

namespace hpot {

EvaluationRecord::EvaluationRecord(const Communicator& world, const StoppingOptions& stopping, Keeper& keeper,
                                   Index variables, Index most, Visit more)
    : world_(world),
      stopping_(stopping),
      keeper_(keeper),
      width_(static_cast<std::size_t>(variables + 1)),
      more_(std::move(more)),
      begun_(seconds_since_start()) {
  keeper_.resume([this](Archive& archive) { visit(archive); });
  values_.reserve(width_ * static_cast<std::size_t>(std::min(most, stopping.max_iterations + 2)));
}

double EvaluationRecord::seconds_here() const { return seconds_since_start() - begun_; }

void EvaluationRecord::look_around() const {
  std::vector<Real> flags{stopping_.interruptible && stop_requested() ? 1.0 : 0.0,
                          made_ > 0 && seconds_here() > stopping_.time_limit ? 1.0 : 0.0};
  world_.max(flags);
  if (flags[0] > 0.0) throw Stopped{StopReason::interrupted};
  if (flags[1] > 0.0) throw Stopped{StopReason::time_limit};
}

Real EvaluationRecord::evaluate(const std::function<Real(std::vector<Real>& gradient)>& work,
                                std::vector<Real>& gradient) {
  if ((used_ + 1) * width_ <= values_.size()) {
    const auto at = values_.begin() + static_cast<std::ptrdiff_t>(used_++ * width_);
    gradient.assign(at + 1, at + static_cast<std::ptrdiff_t>(width_));
    return *at;
  }
  if (world_.any(keeper_.due())) keep();
  const Real value = work(gradient);
  if (!std::isfinite(value)) throw Stopped{StopReason::diverged};
  values_.push_back(value);
  values_.insert(values_.end(), gradient.begin(), gradient.end());
  ++used_;
  ++made_;
  return value;
}

void EvaluationRecord::forget() {
  values_.clear();
  used_ = 0;
}

void EvaluationRecord::keep() {
  keeper_.keep([this](Archive& archive) { visit(archive); });
}

void EvaluationRecord::visit(Archive& archive) {
  archive.numbers("evaluations", values_);
  more_(archive);
  double seconds = elapsed();
  archive.number("seconds", seconds);
  if (archive.loads()) seconds_before_ = seconds;
}

}  // namespace hpot
