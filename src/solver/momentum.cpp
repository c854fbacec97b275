#include "accelerations.hpp"
#include "hpot/core/field.hpp"

#include <algorithm>
#include <cmath>

namespace hpot {
namespace {

using Fields = std::vector<Field>;

class Momentum final : public Acceleration {
 public:
  void reset(const FixedPointMap& map, Real) override {
    reserve(map.state());
    begin_anew();
    last_error_ = infinity;
    error_anew_ = infinity;
    back_off_.reset();
  }

  void advance(FixedPointMap& map, Real error) override {
    const Fields x = map.state();
    const Fields y = map.image();
    if (!(error <= accepted_growth * last_error_)) {                                    // NaN, too
      for (std::size_t f = 0; f < x.size(); ++f) subtract_packed(increment_[f], x[f]);  // x = the last image
      begin_anew();
      last_error_ = infinity;
      back_off_.fail();
      return;
    }
    if (back_off_.take()) {
      t_ = 1.0;
      error_anew_ = error;
    } else if (error > last_error_) {
      t_ = 1.0;
      if (error < error_anew_) {
        back_off_.succeed();
      } else {
        back_off_.fail();
      }
      error_anew_ = error;
    }
    const Real next = 0.5 * (1.0 + std::sqrt(1.0 + 4.0 * t_ * t_));
    const Real beta = (t_ - 1.0) / next;
    for (std::size_t f = 0; f < x.size(); ++f) extrapolate(beta, x[f], increment_[f], y[f]);
    t_ = next;
    last_error_ = error;
    map.accept();  // x = y + beta (y - y of the sweep before)
  }

  [[nodiscard]] bool can_go_back() const override { return std::isfinite(last_error_); }

  void archive(Archive& archive) override {
    archive.fields("increment", increment_);
    archive.number("t", t_);
    archive.number("last_error", last_error_);
    archive.number("error_anew", error_anew_);
    back_off_.archive(archive);
  }

 private:
  void begin_anew() {
    for (const Field& field : increment_) Kokkos::deep_copy(field, 0.0);
    t_ = 1.0;
  }

  /// Fields of the state's shape; another shape is another map, whose state is no extrapolation.
  void reserve(const Fields& state) {
    const auto fits = [](const Field& field, const Field& packed) {
      return packed_values(field) == static_cast<Index>(packed.extent(1));
    };
    if (increment_.size() == state.size() && std::equal(state.begin(), state.end(), increment_.begin(), fits)) return;
    increment_.clear();
    for (const Field& field : state) increment_.push_back(make_packed_field("hpot::Momentum::increment", field));
  }

  Fields increment_;  // state less the last image
  Real t_ = 1.0;
  Real last_error_ = infinity;
  Real error_anew_ = infinity;  // where momentum was begun anew the last time
  BackOff back_off_;            // from the last time that momentum won anything
};

}  // namespace

std::unique_ptr<Acceleration> make_momentum() { return std::make_unique<Momentum>(); }

}  // namespace hpot
