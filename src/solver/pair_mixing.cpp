#include "hpot/solver/pair_mixing.hpp"

#include "accelerations.hpp"

#include <cmath>

namespace hpot {
namespace {

class PairMixing final : public Acceleration {
  /// Of one pair, as Anderson has it of a state.
  struct Entry {
    std::vector<Index> ages;  // slots in use, the oldest first
    std::vector<Real> gram;   // (slots, slots)
    bool has_last = false;
    Real last_error = infinity;
    Real stage_least = infinity;
    BackOff back_off;

    void forget() {
      ages.clear();
      has_last = false;
      last_error = infinity;
    }
  };

 public:
  PairMixing(PairSweeps& sweeps, Index memory, Index max_iterations)
      : sweeps_(sweeps), memory_(memory), max_iterations_(max_iterations) {}

  void reset(const FixedPointMap&, Real tolerance) override {
    tolerance_ = tolerance;
    slots_ = sweeps_.memory().slots;
    entries_.resize(sweeps_.pairs());
    for (Entry& entry : entries_) {
      entry.forget();
      entry.gram.assign(slots_ * slots_, 0.0);
      entry.stage_least = infinity;
      entry.back_off.reset();
    }
  }

  void advance(FixedPointMap&, Real) override {
    std::vector<Index> staying;
    MixingStep step;
    const std::vector<Index>& active = sweeps_.active();
    for (std::size_t c = 0; c < active.size(); ++c) {
      const Index e = active[c];
      const Real error = sweeps_.errors()[c];
      if (error <= tolerance_) continue;
      const bool lost = !std::isfinite(error) && !std::isfinite(entries_[e].last_error);
      if (lost || sweeps_.sweeps(e) >= max_iterations_) {
        sweeps_.give_up(e, lost ? StopReason::diverged : StopReason::max_iterations);
        continue;
      }
      staying.push_back(e);
      choose(entries_[e], error, step);
      step.scale.push_back(sweeps_.scale(e));
    }
    sweeps_.keep_active(staying);
    if (staying.empty()) return;
    const Field x = sweeps_.state()[0];
    const Field y = sweeps_.image()[0];
    step.gamma.assign(staying.size() * slots_, 0.0);
    if (slots_ > 0) {
      const std::vector<Real> products =
          remember_and_project(sweeps_.entries(), sweeps_.table().weight, step, x, y, sweeps_.memory());
      for (std::size_t c = 0; c < staying.size(); ++c) {
        if (step.kind[c] == MixingStep::mix)
          solve_for_gamma(entries_[staying[c]], step.slot[c], &products[c * 2 * slots_], &step.gamma[c * slots_]);
      }
    }
    take_step(sweeps_.entries(), step, y, sweeps_.memory(), x);
  }

  [[nodiscard]] bool can_go_back() const override { return true; }  // pairs are given up one by one

 private:
  /// The safeguards of acceleration.hpp.
  void choose(Entry& entry, Real error, MixingStep& step) const {
    step.kind.push_back(MixingStep::accept);
    step.slot.push_back(-1);
    if (error < entry.stage_least) {
      entry.stage_least = error;
      entry.back_off.succeed();
    }
    if (slots_ == 0) return;
    if (!(error <= accepted_growth * entry.last_error)) {  // NaN, too
      step.kind.back() = MixingStep::go_back;
      entry.forget();
      entry.back_off.fail();
      return;
    }
    if (entry.back_off.take()) return;
    step.kind.back() = MixingStep::mix;
    if (entry.has_last) {
      const bool full = static_cast<Index>(entry.ages.size()) == memory_;
      const Index slot = full ? entry.ages.front() : static_cast<Index>(entry.ages.size());
      if (full) entry.ages.erase(entry.ages.begin());
      entry.ages.push_back(slot);
      step.slot.back() = slot;
    }
    entry.has_last = true;
    entry.last_error = error;
  }

  /// gamma = argmin |F - sum_j gamma_j dF_j| by the normal equations; `products` as remember_and_project returns them.
  void solve_for_gamma(Entry& entry, Index newest, const Real* products, Real* gamma) const {
    const std::size_t n = entry.ages.size();
    if (n == 0) return;
    for (const Index slot : entry.ages) {
      entry.gram[newest * slots_ + slot] = entry.gram[slot * slots_ + newest] = products[slot];
    }
    std::vector<std::vector<Real>> matrix(n, std::vector<Real>(n));
    std::vector<Real> right(n);
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < n; ++j) matrix[i][j] = entry.gram[entry.ages[i] * slots_ + entry.ages[j]];
      right[i] = products[slots_ + entry.ages[i]];
    }
    const std::vector<Real> solution = solve_normal_equations(std::move(matrix), std::move(right));
    for (std::size_t i = 0; i < n; ++i) gamma[entry.ages[i]] = solution[i];
  }

  PairSweeps& sweeps_;
  Index memory_;     // sweeps that are mixed
  Index slots_ = 0;  // stored
  Index max_iterations_;
  Real tolerance_ = 0.0;
  std::vector<Entry> entries_;
};

}  // namespace

std::unique_ptr<Acceleration> make_pair_mixing(PairSweeps& sweeps, Index memory, Index max_iterations) {
  return std::make_unique<PairMixing>(sweeps, memory, max_iterations);
}

}  // namespace hpot
