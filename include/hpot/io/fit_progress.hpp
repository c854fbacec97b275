// The progress of a fit, printed.
#pragma once

#include "hpot/solver/evaluation_record.hpp"

namespace hpot {

/// A line or a table as output.progress says, on the rank where `speaks`; `error` is what its errors are called.
FitProgress make_fit_progress(const std::string& style, bool speaks, const std::string& error);

}  // namespace hpot
