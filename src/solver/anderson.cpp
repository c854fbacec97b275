#include "accelerations.hpp"
#include "hpot/core/field.hpp"

#include <algorithm>
#include <cmath>
#include <deque>
#include <utility>

namespace hpot {
namespace {

using Fields = std::vector<Field>;

constexpr Real accepted_rise = 1.2;  // of the error above its least since the inner product was renewed
constexpr Index memory_lives = 3;    // sweeps until that is renewed, in multiples of the memory's length
constexpr Real ridge = 1e-13;        // of the Gram matrix, relative to its diagonal

Fields copy(const Fields& x) {
  Fields y;
  for (const Field& field : x) y.push_back(copy_of(field));
  return y;
}

void combine_all(Real alpha, const Fields& x, Real beta, const Fields& y) {
  for (std::size_t f = 0; f < x.size(); ++f) combine(alpha, x[f], beta, y[f]);
}

class Anderson final : public Acceleration {
  struct Difference {
    Fields residual;  // dF
    Fields image;     // dG
  };

 public:
  explicit Anderson(Index memory) : memory_(memory) {}

  void reset(const FixedPointMap& map, Real) override {
    forget();
    reserve(map.state());
    stage_least_ = infinity;
    back_off_.reset();
  }

  void advance(FixedPointMap& map, Real error) override {
    if (error < stage_least_) {
      stage_least_ = error;
      back_off_.succeed();
    }
    if (!(error <= accepted_growth * last_error_)) {  // NaN, too
      const Fields state = map.state();
      for (std::size_t f = 0; f < state.size(); ++f) Kokkos::deep_copy(state[f], last_image_[f]);
      restart(map);
      back_off_.fail();
      return;
    }
    if (back_off_.take()) {
      map.accept();
      return;
    }
    if (map.inner_product_moves() && (error > accepted_rise * least_error_ || age_ == memory_lives * memory_))
      restart(map);
    least_error_ = std::min(least_error_, error);
    ++age_;
    const Fields x = map.state();
    const Fields y = map.image();
    reserve(x);
    Fields residual = take(y);
    combine_all(-1.0, x, 1.0, residual);  // F = G(x) - x
    if (!last_image_.empty()) remember(map, residual, y);
    last_residual_ = residual;
    last_image_ = take(y);
    last_error_ = error;
    const std::vector<Real> gamma = solve_normal_equations(gram_, projections(map, residual));
    map.accept();  // x = G(x)
    for (std::size_t j = 0; j < gamma.size(); ++j) combine_all(-gamma[j], history_[j].image, 1.0, map.state());
  }

  [[nodiscard]] bool can_go_back() const override { return std::isfinite(last_error_); }

  void archive(Archive& archive) override {
    if (archive.loads()) spare_.clear();  // what is loaded takes their place
    Index remembered = static_cast<Index>(history_.size());
    archive.number("remembered", remembered);
    history_.resize(remembered);
    gram_.resize(remembered);
    for (Index j = 0; j < remembered; ++j) {
      const std::string name = "difference_" + std::to_string(j) + "/";
      archive.fields(name + "residual", history_[j].residual);
      archive.fields(name + "image", history_[j].image);
      archive.numbers(name + "gram", gram_[j]);
    }
    archive.fields("last_residual", last_residual_);
    archive.fields("last_image", last_image_);
    archive.number("last_error", last_error_);
    archive.number("least_error", least_error_);
    archive.number("age", age_);
    archive.number("stage_least", stage_least_);
    back_off_.archive(archive);
  }

 private:
  /// Every copy that the memory can ever need.
  void reserve(const Fields& state) {
    const auto same_size = [](const Field& a, const Field& b) { return a.size() == b.size(); };
    if (!spare_.empty() && !std::equal(state.begin(), state.end(), spare_[0].begin(), same_size)) spare_.clear();
    const std::size_t held = 2 * history_.size() + (last_image_.empty() ? 0 : 2);
    while (held + spare_.size() < static_cast<std::size_t>(2 * memory_ + 3)) spare_.push_back(copy(state));
  }

  Fields take(const Fields& values) {
    Fields fields = std::move(spare_.back());
    spare_.pop_back();
    for (std::size_t f = 0; f < values.size(); ++f) Kokkos::deep_copy(fields[f], values[f]);
    return fields;
  }

  void give_back(Fields& fields) {
    if (!fields.empty()) spare_.push_back(std::move(fields));
    fields.clear();
  }

  void give_back(std::deque<Difference>& differences) {
    for (Difference& difference : differences) {
      give_back(difference.residual);
      give_back(difference.image);
    }
    differences.clear();
  }

  void forget() {
    give_back(history_);
    give_back(last_residual_);
    give_back(last_image_);
    gram_.clear();
    last_error_ = infinity;
    least_error_ = infinity;
    age_ = 0;
  }

  void restart(FixedPointMap& map) {
    forget();
    map.renew_inner_product();
  }

  void remember(const FixedPointMap& map, const Fields& residual, const Fields& image) {
    if (static_cast<Index>(history_.size()) == memory_) {
      give_back(history_.front().residual);
      give_back(history_.front().image);
      history_.pop_front();
      gram_.erase(gram_.begin());
      for (auto& row : gram_) row.erase(row.begin());
    }
    combine_all(1.0, residual, -1.0, last_residual_);
    combine_all(1.0, image, -1.0, last_image_);
    history_.push_back({last_residual_, last_image_});
    const std::vector<Real> row = projections(map, history_.back().residual);
    for (std::size_t j = 0; j < gram_.size(); ++j) gram_[j].push_back(row[j]);
    gram_.push_back(row);
  }

  [[nodiscard]] std::vector<Real> projections(const FixedPointMap& map, const Fields& residual) const {
    std::vector<Fields> all;
    for (const Difference& difference : history_) all.push_back(difference.residual);
    return map.dots(residual, all);
  }

  Index memory_;
  std::deque<Difference> history_;
  std::vector<Fields> spare_;  // copies of a state that hold nothing now
  std::vector<std::vector<Real>> gram_;
  Fields last_residual_;
  Fields last_image_;
  Real last_error_ = infinity;
  Real least_error_ = infinity;  // since the memory was cleared
  Index age_ = 0;                // of the memory, in sweeps
  Real stage_least_ = infinity;
  BackOff back_off_;  // from the least error of the stage
};

}  // namespace

std::vector<Real> solve_normal_equations(std::vector<std::vector<Real>> a, std::vector<Real> b) {
  const int n = static_cast<int>(b.size());
  std::vector<Real> scale(n);
  for (int i = 0; i < n; ++i) scale[i] = a[i][i] > 0.0 ? 1.0 / std::sqrt(a[i][i]) : 0.0;
  for (int i = 0; i < n; ++i) {
    for (int j = 0; j < n; ++j) a[i][j] *= scale[i] * scale[j];
    a[i][i] += ridge;
    b[i] *= scale[i];
  }
  for (int i = 0; i < n; ++i) {
    for (int j = 0; j <= i; ++j) {
      Real sum = a[i][j];
      for (int k = 0; k < j; ++k) sum -= a[i][k] * a[j][k];
      if (i != j) {
        a[i][j] = a[j][j] > 0.0 ? sum / a[j][j] : 0.0;
      } else {
        a[i][i] = sum > ridge / 2 ? std::sqrt(sum) : 0.0;
      }
    }
  }
  for (int i = 0; i < n; ++i) {
    for (int k = 0; k < i; ++k) b[i] -= a[i][k] * b[k];
    b[i] = a[i][i] > 0.0 ? b[i] / a[i][i] : 0.0;
  }
  for (int i = n - 1; i >= 0; --i) {
    for (int k = i + 1; k < n; ++k) b[i] -= a[k][i] * b[k];
    b[i] = a[i][i] > 0.0 ? b[i] / a[i][i] : 0.0;
  }
  for (int i = 0; i < n; ++i) b[i] *= scale[i];
  return b;
}

std::unique_ptr<Acceleration> make_anderson(Index memory) { return std::make_unique<Anderson>(memory); }

}  // namespace hpot
