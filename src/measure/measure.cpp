#include "hpot/measure/measure.hpp"

#include "hpot/core/error.hpp"

#include <algorithm>
#include <cmath>
#include <sstream>
#include <utility>

namespace hpot {
namespace {

std::string number(Real value) {
  std::ostringstream text;
  text << value;
  return text.str();
}

}  // namespace

Measure make_measure(MeasureData data, NegativeValues negative, bool normalize) {
  Measure measure;
  measure.weights = std::move(data.values);
  Index below = 0;
  Real lowest = 0.0;
  for (Real& weight : measure.weights) {
    Real value = weight;
    if (std::isnan(value)) {
      ++measure.masked;
      value = 0.0;
    }
    if (negative == NegativeValues::negative) value = -value;
    if (value < 0.0) {
      ++below;
      lowest = std::min(lowest, value);
      value = 0.0;
    }
    weight = value + 0.0;  // no -0
  }
  if (negative == NegativeValues::error && below > 0) {
    throw InputError(
        error_text(data.name, {}, {},
                   std::to_string(below) + " negative values, the lowest " + number(lowest) + "; a measure has none",
                   "set input.negative = clip to count them as zero, or split to solve both parts"));
  }
  measure.clipped = negative == NegativeValues::clip ? below : 0;
  const Real largest =
      measure.weights.empty() ? 0.0 : *std::max_element(measure.weights.begin(), measure.weights.end());
  require(
      largest > 0.0, data.name,
      "no positive value" + std::string(measure.masked > 0 ? ", " + std::to_string(measure.masked) + " are NaN" : ""),
      "leave this measure out");
  Real sum = 0.0;  // in units of the largest value, so that it neither overflows nor underflows
  for (const Real weight : measure.weights) sum += weight / largest;
  measure.mass = sum * largest;
  if (normalize) {
    for (Real& weight : measure.weights) weight = weight / largest / sum;
  } else {
    require(std::isfinite(measure.mass), data.name, "the mass " + number(sum) + " * " + number(largest) + " overflows",
            "set input.normalize = true, or scale the data");
  }
  return measure;
}

}  // namespace hpot
