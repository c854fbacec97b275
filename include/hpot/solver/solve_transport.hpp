// Transport between two measures, from options to values.
#pragma once

#include "hpot/problem/transport_values.hpp"
#include "hpot/solver/acceleration.hpp"
#include "hpot/solver/keeper.hpp"
#include "hpot/solver/newton.hpp"
#include "hpot/solver/scales.hpp"
#include "hpot/solver/self_transport.hpp"

namespace hpot {

struct TransportSettings {
  KernelOptions kernel;
  EpsilonOptions epsilon;
  ScheduleOptions schedule;
  StoppingOptions stopping;
  AccelerationOptions acceleration;
  FinishOptions finish;
  Precision precision = Precision::full;
  std::string source_penalty = "balanced";  // rho in epsilon.unit
  std::string target_penalty = "balanced";

  /// auto is anderson.
  [[nodiscard]] AccelerationOptions mixing() const { return acceleration.resolved("anderson"); }

  [[nodiscard]] bool all_balanced() const {
    return hpot::is_balanced(parse_penalty(source_penalty)) && hpot::is_balanced(parse_penalty(target_penalty));
  }
  static std::vector<OptionKey> keys();
  static TransportSettings from(const Options& options);
  /// InputError where measures of these masses have no plan under the penalties.
  void check_masses(Real source, Real target) const;
};

struct TransportSolution {
  Outcome outcome;
  TransportValues values;  // at (f, g)
  Real target_epsilon = 0.0;
  Real tolerance = 0.0;  // that was asked for
  OwnedRows source_rows, target_rows;
  Field f, g;  // owned rows
};

/// Potentials of a pair, and the problem on the given supports that they belong to.
struct SolvedPair {
  Outcome outcome;
  TransportProblem problem;
  Field f, g;  // owned rows
};

/// Sweeps to settings.stopping at `target_epsilon` (in the unit of the cost): through the schedule, or from `start`, the owned
/// rows of a g, at once. The penalties are those of `data`. Collective.
SolvedPair solve_potentials(const Communicator& world, const TransportSettings& settings, TransportData data,
                            Real target_epsilon, const std::vector<Monitor*>& monitors, Keeper* keeper,
                            const Field& start);

/// Rows are divided over `world`; the penalties of `data` are set from the settings. Move it in, so that it is freed where only the
/// owned rows are needed. Collective.
TransportSolution solve_transport(const Communicator& world, const TransportSettings& settings, TransportData data,
                                  const std::vector<Monitor*>& monitors, Keeper* keeper = nullptr);

/// All but the rows.
void archive(Archive& archive, TransportSolution& solution);

/// True where the self-transports of a divergence are solved by solve_self_transport: costs with a positive kernel.
[[nodiscard]] bool is_solved_by_symmetry(const KernelOptions& kernel);

/// The same of a measure and itself, settings.source_penalty on both sides: one potential, one kernel product a sweep, no Newton
/// steps. Over-relaxation becomes plain sweeps. eps in the cost's unit or spacing2. Collective.
TransportSolution solve_self_transport(const Communicator& world, const TransportSettings& settings,
                                       SelfTransportData data, Keeper* keeper = nullptr);

struct Divergence {
  Real value = 0.0;
  StopReason reason = StopReason::converged;  // of the worse of the two solves
};

/// OT(a,b) - OT(a,a)/2 - OT(b,b)/2 + eps (m_a - m_b)^2/2, given OT(a,b) = `mixed` [Feydy 2019; Sejourne 2019]. Collective.
Divergence sinkhorn_divergence(const Communicator& world, const TransportSettings& settings, TransportData data,
                               const TransportSolution& mixed, Keeper* keeper = nullptr);

}  // namespace hpot
