#include "hpot/measure/synthetic_picture.hpp"

#include "hpot/measure/random.hpp"
#include "synthetic_source.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>

namespace hpot {
namespace {

using synthetic::Source;
using Color = std::array<Real, 3>;

constexpr Index most_items = 1'000'000;

Color mix(const Color& a, const Color& b, Real share) {
  Color color{};
  for (int c = 0; c < 3; ++c) color[c] = a[c] + share * (b[c] - a[c]);
  return color;
}

/// Of the sky from above to the horizon, of the sun, of the hills from afar to here.
struct Palette {
  Color zenith{}, horizon{}, sun{}, far{}, near{};
};

Palette palette_of(Index item, RandomStream& random) {
  if (item == 0)
    return {{0.16, 0.42, 0.80}, {0.78, 0.88, 0.96}, {1.0, 0.98, 0.86}, {0.42, 0.58, 0.50}, {0.16, 0.38, 0.10}};
  if (item == 1)
    return {{0.20, 0.10, 0.34}, {0.98, 0.55, 0.22}, {1.0, 0.86, 0.45}, {0.52, 0.24, 0.28}, {0.14, 0.06, 0.12}};
  Palette palette;
  for (Color* color : {&palette.zenith, &palette.horizon, &palette.sun, &palette.far, &palette.near}) {
    for (Real& value : *color) value = random.uniform();
  }
  return palette;
}

/// Heights of a line of hills, in fractions of the picture's, over x in [0, 1].
struct Hills {
  static constexpr int waves = 4;
  Real base;
  std::array<Real, waves> height{}, phase{};
  Hills(Real at, RandomStream& random) : base(at) {
    for (int w = 0; w < waves; ++w) {
      height[w] = random.uniform(0.01, 0.07) / (w + 1);
      phase[w] = random.uniform(0.0, 2.0 * std::numbers::pi);
    }
  }
  [[nodiscard]] Real at(Real x) const {
    Real y = base;
    for (int w = 0; w < waves; ++w) y += height[w] * std::sin(2.0 * std::numbers::pi * (w + 1) * x + phase[w]);
    return y;
  }
};

Source checked(const std::string& text) {
  Source source(text);
  source.check_keys({"n", "count", "seed", "item"}, {"width", "pixels"});
  return source;
}

}  // namespace

bool is_synthetic_picture(const std::string& text) { return text.substr(0, text.find('?')) == "scene"; }

Index synthetic_picture_count(const std::string& text) {
  const Source source = checked(text);
  const Index count = source.integer("count", 2, 1, most_items);
  return source.has("item") ? 1 : count;
}

SyntheticPicture synthetic_picture(const std::string& text, Index item) {
  constexpr Index longest = 1 << 14;
  const Source source = checked(text);
  if (source.has("item")) {
    const Index count = source.has("count") ? source.integer("count", 2, 1, most_items) : most_items;
    item = source.integer("item", 0, 0, count - 1);
  }
  SyntheticPicture picture;
  picture.height = source.integer("n", 192, 1, longest);
  picture.width = source.integer("width", std::max<Index>(1, picture.height * 4 / 3), 1, longest);
  const Index seed = source.integer("seed", 0, 0, std::numeric_limits<Index>::max());
  RandomStream random(seed, "scene", item);
  const Palette colors = palette_of(item, random);
  const std::vector<Hills> hills{{0.62, random}, {0.72, random}, {0.84, random}};
  const Real sun_x = random.uniform(0.2, 0.8);
  const Real sun_y = item == 0 ? 0.22 : 0.5;
  for (Index row = 0; row < picture.height; ++row) {
    for (Index column = 0; column < picture.width; ++column) {
      const Real x = (static_cast<Real>(column) + 0.5) / static_cast<Real>(picture.width);
      const Real y = (static_cast<Real>(row) + 0.5) / static_cast<Real>(picture.height);
      Color color = mix(colors.zenith, colors.horizon, std::min(1.0, y / 0.62));
      const Real distance = std::hypot(4.0 / 3.0 * (x - sun_x), y - sun_y);
      color = mix(color, colors.sun, distance < 0.06 ? 1.0 : 0.8 * std::exp(-8.0 * (distance - 0.06)));
      for (std::size_t h = 0; h < hills.size(); ++h) {
        const Real depth = y - hills[h].at(x);
        const Real nearness = static_cast<Real>(h) / static_cast<Real>(hills.size() - 1);
        if (depth > 0.0) color = mix(mix(colors.far, colors.near, nearness), colors.near, std::min(1.0, 4.0 * depth));
      }
      for (const Real value : color) {
        const Real grain = random.uniform(-0.02, 0.02);
        picture.rgb.push_back(static_cast<std::uint8_t>(std::lround(255.0 * std::clamp(value + grain, 0.0, 1.0))));
      }
    }
  }
  return picture;
}

}  // namespace hpot
