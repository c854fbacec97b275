#include "hpot/io/colors.hpp"

#include "hpot/io/measure_file.hpp"
#include "hpot/io/result.hpp"
#include "hpot/problem/barycentric_map.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

namespace hpot {
namespace {

constexpr Real highest = 255.0;
constexpr int bits = 8;

/// A colour's bits, interleaved: Morton's order, in which blocks of colours are compact.
std::uint32_t key_of(const std::uint8_t* rgb) {
  std::uint32_t key = 0;
  for (int bit = 0; bit < bits; ++bit) {
    for (int c = 0; c < 3; ++c) key |= static_cast<std::uint32_t>(rgb[c] >> bit & 1U) << (3 * bit + 2 - c);
  }
  return key;
}

std::array<std::uint8_t, 3> color_of(std::uint32_t key) {
  std::array<std::uint8_t, 3> rgb{};
  for (int bit = 0; bit < bits; ++bit) {
    for (int c = 0; c < 3; ++c) rgb[c] |= static_cast<std::uint8_t>((key >> (3 * bit + 2 - c) & 1U) << bit);
  }
  return rgb;
}

std::vector<std::uint32_t> distinct_keys(const Raster& picture) {
  std::vector<std::uint32_t> keys;
  keys.reserve(picture.rgb.size() / 3);
  for (std::size_t at = 0; at < picture.rgb.size(); at += 3) keys.push_back(key_of(&picture.rgb[at]));
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  return keys;
}

Support points_of(const std::vector<std::uint32_t>& keys, Range block) {
  std::vector<Real> coordinates;
  coordinates.reserve(3 * block.size());
  for (Index k = block.begin; k < block.end; ++k) {
    for (const std::uint8_t sample : color_of(keys[k])) coordinates.push_back(sample / highest);
  }
  return make_cloud(3, std::move(coordinates));
}

std::uint8_t sample_of(Real value) {
  return static_cast<std::uint8_t>(std::lround(highest * std::clamp(value, 0.0, 1.0)));
}

/// Every pixel takes the colour that stands for its own.
void recolor(Raster& picture, const std::vector<std::uint32_t>& keys, const std::vector<std::uint8_t>& moved) {
  for (std::size_t at = 0; at < picture.rgb.size(); at += 3) {
    const auto found = std::lower_bound(keys.begin(), keys.end(), key_of(&picture.rgb[at]));
    std::copy_n(moved.begin() + 3 * (found - keys.begin()), 3, picture.rgb.begin() + static_cast<std::ptrdiff_t>(at));
  }
}

}  // namespace

Index count_pixels(const Communicator& world, const Options& options, const std::string& source) {
  if (!is_colors(source)) {
    options.reject("output.colors", "input.source is not the colours of a picture",
                   "give a .png, .jpg or .jpeg with ?as=colors, synthetic:scene, or leave it out");
  }
  std::vector<Real> pixels(1, 0.0);
  world.agree([&] {
    if (world.rank() == 0) pixels[0] = static_cast<Real>(picture_of_colors(source).rgb.size() / 3);
  });
  world.broadcast(pixels);
  return static_cast<Index>(pixels[0]);
}

void write_colors(const Communicator& world, const std::string& path, Real share, const std::string& source,
                  KernelOptions kernel, const Marginal& target, const Support& target_support, const ConstField& g,
                  Real epsilon) {
  kernel.type = "dense";  // a block's matrix of costs would be large, and used but three times
  Raster picture;
  world.agree([&] { picture = picture_of_colors(source); });
  const std::vector<std::uint32_t> keys = distinct_keys(picture);
  const auto count = static_cast<Index>(keys.size());
  std::vector<std::uint8_t> moved(world.rank() == 0 ? 3 * keys.size() : 0);
  for (Index begin = 0; begin < count; begin += colors_at_once) {
    const Range block{begin, std::min(begin + colors_at_once, count)};
    const Support colors = points_of(keys, block);
    const OwnedRows rows = own_rows(colors, world);
    const auto op = make_kernel(kernel, colors, rows, target_support, target.rows);
    const Field image = barycentric_image(*op, rows.local_n(), target, target_support, g, epsilon);
    for (int c = 0; c < 3; ++c) {
      const auto samples = gather_points(rows, Kokkos::subview(image, std::make_pair(c, c + 1), Kokkos::ALL));
      for (std::size_t k = 0; k < samples.size(); ++k) {
        const Real own = color_of(keys[begin + k])[c] / highest;
        moved[3 * (begin + k) + c] = sample_of((1.0 - share) * own + share * samples[k]);
      }
    }
  }
  world.agree([&] {
    if (world.rank() != 0) return;
    recolor(picture, keys, moved);
    write_png(path, picture);
    std::printf("colors: %s, %lld colours moved\n", path.c_str(), static_cast<long long>(count));
  });
}

}  // namespace hpot
