// Colours that stand for values, in pictures of every kind.
#pragma once

#include "hpot/core/types.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

namespace hpot {

using Colour = std::array<Real, 3>;

/// Sequential, from dark to light at an even pace: black, violet, rose, orange, pale yellow.
inline constexpr std::array<Colour, 7> heat{
    {{0, 0, 0}, {44, 17, 88}, {104, 28, 110}, {170, 46, 92}, {226, 84, 48}, {250, 156, 40}, {252, 248, 176}}};
/// Diverging: blue below 0, white at 0, red above.
inline constexpr std::array<Colour, 7> blue_white_red{
    {{12, 44, 132}, {44, 112, 188}, {148, 196, 224}, {255, 255, 255}, {248, 180, 148}, {208, 72, 64}, {124, 8, 32}}};

/// Linear between the control points; t in [0, 1].
template <std::size_t n>
Colour interpolate(const std::array<Colour, n>& table, Real t) {
  const Real position = t * static_cast<Real>(n - 1);
  const std::size_t i = std::min(static_cast<std::size_t>(position), n - 2);
  const Real s = position - static_cast<Real>(i);
  Colour colour;
  for (std::size_t c = 0; c < 3; ++c) colour[c] = (1 - s) * table[i][c] + s * table[i + 1][c];
  return colour;
}

/// What the colours mean, from the data as a whole.
struct Scale {
  explicit Scale(const std::vector<Real>& values) {
    std::vector<Real> sizes;
    sizes.reserve(values.size());
    for (const Real v : values) {
      if (!std::isfinite(v) || v == 0) continue;
      sizes.push_back(std::abs(v));
      if (v < 0) diverging = true;
    }
    if (sizes.empty()) return;
    const auto last = static_cast<Real>(sizes.size() - 1);
    const auto nth = sizes.begin() + static_cast<std::ptrdiff_t>(std::floor(0.999 * last));
    std::nth_element(sizes.begin(), nth, sizes.end());
    high = *nth;
  }

  /// value / high in [-1, 1]; 0 for NaN.
  [[nodiscard]] Real relative(Real value) const {
    if (!std::isfinite(value)) return 0;
    return std::abs(value) >= high ? std::copysign(1.0, value) : value / high;
  }
  [[nodiscard]] Colour colour(Real value) const {
    const Real t = relative(value);
    return diverging ? interpolate(blue_white_red, 0.5 + 0.5 * t) : interpolate(heat, t);
  }
  [[nodiscard]] Colour background() const { return diverging ? blue_white_red[3] : heat[0]; }

  bool diverging = false;
  Real high = 1;
};

}  // namespace hpot
