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

/// What is known of the values of all points.
struct Counts {
  Real masked = 0.0;
  Real below = 0.0;  // zero
  Real lowest = 0.0;
  Real largest = 0.0;
};

/// Turns values to weights >= 0. Local.
Counts clean(std::vector<Real>& values, NegativeValues negative) {
  Counts counts;
  for (Real& weight : values) {
    Real value = weight;
    if (std::isnan(value)) {
      counts.masked += 1.0;
      value = 0.0;
    }
    if (negative == NegativeValues::negative) value = -value;
    if (value < 0.0) {
      counts.below += 1.0;
      counts.lowest = std::min(counts.lowest, value);
      value = 0.0;
    }
    weight = value + 0.0;  // no -0
    counts.largest = std::max(counts.largest, weight);
  }
  return counts;
}

Measure checked(const std::string& name, std::vector<Real> weights, NegativeValues negative, const Counts& counts) {
  Measure measure{std::move(weights), 0.0, static_cast<Index>(counts.masked), 0};
  const auto below = static_cast<Index>(counts.below);
  if (negative == NegativeValues::error && below > 0) {
    throw InputError(error_text(
        name, {}, {},
        std::to_string(below) + " negative values, the lowest " + number(counts.lowest) + "; a measure has none",
        "set input.negative = clip to count them as zero, or split to solve both parts"));
  }
  measure.clipped = negative == NegativeValues::clip ? below : 0;
  require(
      counts.largest > 0.0, name,
      "no positive value" + std::string(measure.masked > 0 ? ", " + std::to_string(measure.masked) + " are NaN" : ""),
      "leave this measure out");
  return measure;
}

/// `sum` is that of the weights over `largest`, which neither overflows nor underflows.
void take_mass(const std::string& name, Real sum, Real largest, bool normalize, Measure& measure) {
  measure.mass = sum * largest;
  if (normalize) {
    for (Real& weight : measure.weights) weight = weight / largest / sum;
  } else {
    require(std::isfinite(measure.mass), name, "the mass " + number(sum) + " * " + number(largest) + " overflows",
            "set input.normalize = true, or scale the data");
  }
}

}  // namespace

Measure make_measure(MeasureData data, NegativeValues negative, bool normalize) {
  const Counts counts = clean(data.values, negative);
  Measure measure = checked(data.name, std::move(data.values), negative, counts);
  Real sum = 0.0;
  for (const Real weight : measure.weights) sum += weight / counts.largest;
  take_mass(data.name, sum, counts.largest, normalize, measure);
  return measure;
}

Measure make_measure(MeasureData data, NegativeValues negative, bool normalize, const OwnedRows& rows) {
  const Counts here = clean(data.values, negative);
  std::vector<Real> sums{here.masked, here.below};
  std::vector<Real> ends{-here.lowest, here.largest};
  rows.along_rows.sum(sums);
  rows.along_rows.max(ends);
  const Counts counts{sums[0], sums[1], -ends[0], ends[1]};
  Measure measure = checked(data.name, std::move(data.values), negative, counts);
  take_mass(data.name, total(rows, measure.weights, counts.largest), counts.largest, normalize, measure);
  return measure;
}

}  // namespace hpot
