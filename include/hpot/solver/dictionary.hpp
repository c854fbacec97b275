// Wasserstein dictionary learning [Schmitz et al. 2018]: K atoms and weights for each of N maps, such that every map is close to
// the barycenter of the atoms with its weights.
//
//   min over b_k and lambda_n, each in its simplex, of F(b, lambda) (dictionary_objective.hpp)
// in theta, b = theta^2/|theta|^2 and lambda likewise (simplex_descent.hpp), atoms and weights together:
//   all maps at once: L-BFGS; the loss falls with every step
//   batches of them: Adam [Kingma, Ba 2015], with m, v the running means (0.9, 0.999) of the gradient and its square,
//     theta -= rate/sqrt(e) m'/(sqrt(v') + 1e-8) in epoch e = 1, 2, ..., each of which is a pass over the maps in a new random
//     order; weights move when their map's turn comes
// from given atoms, or from K of the maps, each mixed with a uniform map, and equal weights. It has converged when in ten steps, or
// epochs, the loss has fallen by at most the tolerance, as a part of itself.
//
// L-BFGS begins anew, without its memory, where evaluations_held() are on record, so that what a run must remember to go on
// with the same bits (evaluation_record.hpp) is bounded. Every rank has all variables.
#pragma once

#include "hpot/solver/dictionary_objective.hpp"
#include "hpot/solver/evaluation_record.hpp"

namespace hpot {

struct DictionarySettings : SweepSettings {
  StoppingOptions stopping;
  Index atoms = 5;
  Index batch = 0;  // maps at once; 0: all
  Real rate = 0.2;
  Index seed = 0;
  Index memory = 10;  // steps that L-BFGS remembers

  /// Until L-BFGS begins anew after its next step, and at most.
  [[nodiscard]] Index evaluations_held() const { return 6 * memory; }
  [[nodiscard]] Index most_evaluations() const { return evaluations_held() + 40; }  // of a step's search

  static std::vector<OptionKey> keys();
  /// `places` is as many as sweeps.
  static DictionarySettings from(const Options& options);
};

struct DictionaryData {
  Support support;                       // a grid, a surface, or the rows and the columns of a cost matrix
  std::vector<std::vector<Real>> maps;   // of mass 1, those owned here: all points, or the owned rows
  std::vector<std::vector<Real>> atoms;  // to begin with, all of them, likewise; none: from maps
};

struct DictionarySolution {
  Outcome outcome;  // iterations: steps, or epochs; error: what the loss fell by in the last ten, relative
  Real target_epsilon = 0.0;
  std::vector<Real> atoms;    // K rows of all points
  std::vector<Real> weights;  // N rows of K
  std::vector<Real> losses;   // of each map; none where the run was stopped
  std::vector<Real> history;  // F at the start and after every step; of batches: the mean over every epoch
  Index evaluations = 0;      // of F, or a batch's part, and its gradient
  Index sweeps = 0;           // that the gradient of one map makes: L, and those that memory makes it repeat
};

/// Maps are divided along batches, rows along rows. Move the data in. Collective.
DictionarySolution solve_dictionary(const ProcessGrid& processes, const DictionarySettings& settings,
                                    DictionaryData data, const FitProgress& progress, Keeper* keeper = nullptr);

void archive(Archive& archive, DictionarySolution& solution);

/// Why it did not converge and what to do about it; empty when it did. For people.
std::string advice(const DictionarySolution& solution, const DictionarySettings& settings);

}  // namespace hpot
