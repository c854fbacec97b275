// A plan's entries in a result file.
//
//   /plan   source, target, value: coordinate list of the entries of share output.plan (plan_search.hpp), ordered by source,
//           then target; numbers of points in the order of the data. Attributes share, rule, sources, targets, entries, mass,
//           plan_mass
#pragma once

#include "hpot/io/hdf5_file.hpp"
#include "hpot/problem/plan_search.hpp"

#include <string>

namespace hpot {

/// Ranks find the entries of some consecutive points of the input at a time, at most MapRun::entries_at_once or those of
/// one point; rank 0 writes them into `group`/plan of `file`, which is null elsewhere. Collective; two arrays of all sources
/// on every rank.
void write_plan(const Communicator& world, Real share, const std::string& group, Hdf5Writer* file,
                const PlanSearch& search);

}  // namespace hpot
