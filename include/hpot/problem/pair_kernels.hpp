// The pointwise pieces of sweeps over many pairs of measures at once, and of Anderson mixing for each pair by itself.
//
// A chunk has entries e = 0, 1, ..., the pairs (source(e), target(e)) of rows of two tables of measures. Those still in
// progress are `active`: row c of a compact field (active, points) belongs to entry active(c). Every sum of an entry is formed
// from that entry alone, by tiles of points in their order: it has the same bits whatever else is in the chunk.
//
// Local; points are all of a support's. Formulas of the sweep: transport_problem.hpp; of the mixing: acceleration.hpp.
#pragma once

#include "hpot/problem/transport_problem.hpp"

namespace hpot {

using EntryIndices = Kokkos::View<Index*, MemorySpace>;

/// Rows of one side's table of measures: weights and their logarithms.
struct MeasureTable {
  OwnedRows rows;
  Field weight;
  Field log_weight;
};

/// Which entries are in progress, and the rows of a table that they pair.
struct ActiveEntries {
  EntryIndices active;   // the first `count` count
  EntryIndices measure;  // of every entry, in the table of the side at hand
  EntryIndices self;     // 1 for every entry that pairs a measure with itself in a symmetric problem, else 0
  Index count = 0;
};

/// h(c, i) = log a(measure, i) + potential/eps, the potential by entry.
void add_log_weights(const ActiveEntries& entries, const ConstField& log_weight, const ConstField& potential,
                     Real epsilon, const Field& h);

/// The same with the potential f = prox(s), s compact; f replaces s, and of self entries stands in image(e), too.
void add_log_weights_of_prox(const ActiveEntries& entries, const ConstField& log_weight, const MarginalPenalty& penalty,
                             const Field& s, Real epsilon, const Field& h, const Field& image);

/// image(e, j) = prox(s(c, j)), of self entries the mean of that and of the f that stands there: near the solution their
/// error modes shrink by m (1 - m)/2 <= 1/8 in place of m^2, 0 <= m <= 1 [after Feydy 2019, Sect. 3]. For every c the residual
/// of (potential(e), s(c)), not divided by the mass.
std::vector<Real> prox_and_residuals(const ActiveEntries& entries, const MeasureTable& table,
                                     const MarginalPenalty& penalty, const ConstField& potential, const ConstField& s,
                                     Real epsilon, const Field& image);

/// sum a exp(-f/rho) for every c; f by entry or compact.
std::vector<Real> exponential_masses(const ActiveEntries& entries, const MeasureTable& table, const ConstField& f,
                                     bool compact, Real rho);

/// potential(e, :) += shift[c].
void add_shifts(const ActiveEntries& entries, const std::vector<Real>& shift, const Field& potential);

/// out(c, :) = table(measure(e), :).
Field rows_of_entries(const ActiveEntries& entries, const ConstField& table);

/// What Anderson mixing remembers of every entry of a chunk. Differences of residuals stand point by point, all slots
/// together; those of images slot by slot. Their seventh digit does not matter: they are floats, 0 where a potential of points
/// that nothing reaches moves by more than 1e30.
using ShortField = Kokkos::View<float**, Kokkos::LayoutRight, MemorySpace>;
struct MixingMemory {
  Index used = 0;        // slots
  Index slots = 0;       // stored_slots(used)
  ShortField residuals;  // (entry, point * slots + slot)
  ShortField images;     // (entry, slot * points + point)
  Field last_residual;   // (entry, point)
  Field last_image;
};

/// Room for so many slots, in vectors; at most 64.
[[nodiscard]] Index stored_slots(Index slots);

/// What to do with every active entry: its next slot for a difference, or none, and how its next state follows.
struct MixingStep {
  enum Kind : Index { accept, go_back, mix };
  std::vector<Index> kind;
  std::vector<Index> slot;  // that takes the new difference; -1: none, there is no residual before
  std::vector<Real> scale;  // of the weights in inner products, a power of two
  std::vector<Real> gamma;  // (active, slots): factors of the differences of images; 0 where there is none
};

/// For entries that mix: remembers the differences of x and its image y to those before, in `slot`, and returns for every c
/// and slot the weighted products of the newest difference, and of the residual y - x, with the differences of residuals:
/// 2 * slots numbers.
std::vector<Real> remember_and_project(const ActiveEntries& entries, const ConstField& weight, const MixingStep& step,
                                       const ConstField& x, const ConstField& y, const MixingMemory& memory);

/// x <- y, y - sum gamma dG, or the last image.
void take_step(const ActiveEntries& entries, const MixingStep& step, const ConstField& y, const MixingMemory& memory,
               const Field& x);

}  // namespace hpot
