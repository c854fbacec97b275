// What a run will hold and compute, before it does: --dry-run and resources.memory_limit. Local unless marked.
//
// A plan counts the arrays of the rank with the largest share in every phase of a run, and keeps the phase that holds most.
// Each phase in work_plan.cpp names the function whose arrays it lists.
#pragma once

#include "hpot/core/memory.hpp"
#include "hpot/solver/solve_barycenter.hpp"
#include "hpot/solver/solve_transport.hpp"

#include <functional>

namespace hpot {

struct PlannedArrays {
  std::string name;
  Real bytes = 0.0;
};

/// What every program takes beside its arrays: buffers of MPI, HDF5 and Kokkos, library code used for the first time.
PlannedArrays library_buffers();

struct WorkPlan {
  std::string phase;                  // that holds most
  std::vector<PlannedArrays> arrays;  // in it
  Real terms_per_sweep = 0.0;         // pairs (output, input) along all axes on the finest grid; 0: unknown

  [[nodiscard]] Real bytes() const;
  /// Keeps `arrays` if they are more than those of the phases before.
  void consider(const std::string& name, std::vector<PlannedArrays> arrays);
};

/// What is made of a plan (io/transport_maps.hpp).
struct MapRun {
  static constexpr Index entries_at_once = Index{1} << 16;  // of the plan, on their way to the file, or one row
  bool plan = false;
  bool map = false;
  bool gradient = false;
  Index frames = 0;
  bool picture = false;  // of the frames
  Index pixels = 0;      // of the picture whose colours move

  [[nodiscard]] bool any() const { return plan || map || gradient || frames > 0 || pixels > 0; }
  /// So many that they take 128 MiB, or one.
  [[nodiscard]] Index frames_at_once(Index points) const;
};

/// What the program does beside one solve.
struct TransportRun {
  Support source, target;
  int ranks = 1;
  int parts = 1;  // 2: input.negative = split
  bool divergence = false;
  bool normalized = true;  // masses are 1; others are certified on copies of mass 1
  MapRun maps;
  bool picture = false;     // of both measures
  bool costs_made = false;  // those of a surface, by what needs the transport
};
/// Whether ranks keep only their own points of clouds while sweeps go on (DividedSupport): no Newton step, second part or
/// divergence needs the others.
bool divides_points(const TransportSettings& settings, const TransportRun& run);

/// Of the clouds of a barycenter with a free support.
struct CloudSizes {
  int dimension = 0;
  std::vector<Index> points;  // of every measure
  Index wanted = 0;           // of the barycenter
  [[nodiscard]] Support largest() const;
};
struct BarycenterRun {
  Support support;  // the grid, or the clouds' largest()
  Index measures = 1;
  ProcessGridShape shape;
  Index rows = 1;  // of barycenter.weights
  int parts = 1;
  bool picture = false;
  Index companions = 0;  // maps to be written beside the barycenters of one part
  CloudSizes clouds;     // of a free support
};

WorkPlan plan_transport(const TransportSettings& settings, const TransportRun& run);
WorkPlan plan_barycenter(const BarycenterSettings& settings, const BarycenterRun& run);

/// What plan_barycenter gives where the support is free.
WorkPlan plan_free_support(const BarycenterSettings& settings, const BarycenterRun& run);

/// A table for people.
std::string describe(const WorkPlan& plan, int ranks);

/// The plan under other settings, on so many ranks; nothing where the process grid does not allow that number.
using Planner = std::function<std::optional<WorkPlan>(const AccelerationOptions& acceleration, int ranks)>;

struct AdmittedRun {
  WorkPlan plan;
  AccelerationOptions acceleration;  // never auto
};

/// The plan of this run, printed on --dry-run, and its acceleration: `asked`, or for auto `without_limit`; under a
/// resources.memory_limit auto becomes anderson with as many sweeps as fit, or momentum where fewer than 3 do. InputError
/// where a rank would hold more than the limit: it names the largest arrays and what would fit. Collective.
AdmittedRun admit(const Communicator& world, const Options& options, const AccelerationOptions& asked,
                  const AccelerationOptions& without_limit, const Planner& planner);

/// settings.finish, less what does not fit a resources.memory_limit: first the weights that its steps keep, then, where it
/// is auto, the steps. Collective.
FinishOptions admitted_finish(const Communicator& world, const Options& options, const TransportSettings& settings,
                              const TransportRun& run);

}  // namespace hpot
