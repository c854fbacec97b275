#include "hpot/cost/marginal_penalty.hpp"

#include "hpot/core/error.hpp"

#include <charconv>
#include <cmath>
#include <sstream>

namespace hpot {
namespace {

constexpr const char* known = "known: balanced, kl:RHO, tv:RHO, range:LO,HI";

Real positive_number(const std::string& text) {
  Real value = 0.0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(value)) {
    throw InputError("'" + text + "' is no number; " + known);
  }
  return value;
}

MarginalPenalty parse(const std::string& text, Real unit) {
  if (text == "balanced") return Balanced{};
  const auto colon = text.find(':');
  const std::string type = text.substr(0, colon);
  const std::string rest = colon == std::string::npos ? "" : text.substr(colon + 1);
  if (type == "kl" || type == "tv") {
    const Real rho = positive_number(rest) * unit;
    if (!(rho > 0.0)) throw InputError("rho must be positive");
    if (type == "kl") return KullbackLeibler{rho};
    return TotalVariation{rho};
  }
  if (type == "range") {
    const auto comma = rest.find(',');
    if (comma == std::string::npos) throw InputError(std::string("two numbers are needed, range:LO,HI; ") + known);
    const MassRange range{positive_number(rest.substr(0, comma)), positive_number(rest.substr(comma + 1))};
    if (range.low < 0.0 || range.high < range.low || range.high <= 0.0)
      throw InputError("0 <= LO <= HI, HI > 0 must hold");
    return range;
  }
  throw InputError("unknown penalty '" + type + "'; " + known);
}

struct Describe {
  static std::string number(Real value) {
    std::ostringstream out;
    out << value;
    return out.str();
  }
  std::string operator()(const Balanced&) const { return "balanced"; }
  std::string operator()(const KullbackLeibler& p) const { return "kl:" + number(p.rho); }
  std::string operator()(const TotalVariation& p) const { return "tv:" + number(p.rho); }
  std::string operator()(const MassRange& p) const { return "range:" + number(p.low) + "," + number(p.high); }
};

}  // namespace

MarginalPenalty parse_penalty(const std::string& text, Real unit) { return parse(text, unit); }

std::string penalty_problem(const std::string& text) {
  try {
    parse(text, 1.0);
    return {};
  } catch (const InputError& error) {
    return error.what();
  }
}

std::string describe(const MarginalPenalty& penalty) { return std::visit(Describe{}, penalty); }

Real reach(const MarginalPenalty& penalty) {
  const auto* tv = std::get_if<TotalVariation>(&penalty);
  return tv == nullptr ? infinity : tv->rho;
}

Real strength(const MarginalPenalty& penalty) {
  if (const auto* kl = std::get_if<KullbackLeibler>(&penalty)) return kl->rho;
  if (const auto* tv = std::get_if<TotalVariation>(&penalty)) return tv->rho;
  return 0.0;
}

bool is_finite(const MarginalPenalty& penalty) {
  return std::holds_alternative<KullbackLeibler>(penalty) || std::holds_alternative<TotalVariation>(penalty);
}

bool is_smooth(const MarginalPenalty& penalty) {
  return is_balanced(penalty) || std::holds_alternative<KullbackLeibler>(penalty);
}

}  // namespace hpot
