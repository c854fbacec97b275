// What hpot-dictionary will hold and compute.
#pragma once

#include "hpot/solver/dictionary.hpp"
#include "hpot/solver/sweep_plan.hpp"

namespace hpot {

struct DictionaryRun {
  Support support;
  Index maps = 1;
  ProcessGridShape shape;
  bool picture = false;
};

/// With settings.places and as many atoms as settings.atoms. Local.
WorkPlan plan_dictionary(const DictionarySettings& settings, const DictionaryRun& run);

}  // namespace hpot
