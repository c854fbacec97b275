// hpot-dictionary: atoms of whose Wasserstein barycenters maps are made.
#include "hpot/core/parallel_options.hpp"
#include "hpot/core/session.hpp"
#include "hpot/io/checkpoint.hpp"
#include "hpot/io/dictionary_result.hpp"
#include "hpot/io/fit_progress.hpp"
#include "hpot/io/matrix_file.hpp"
#include "hpot/solver/dictionary_plan.hpp"

namespace hpot {
namespace {

const char* const program = "hpot-dictionary";

std::vector<OptionKey> keys() {
  std::vector<OptionKey> all = {
      {"input.measures", "",
       "comma list of files, globs, containers (digits.idx.gz?label=3&count=200) and synthetic:FAMILY?...",
       check::text(), true},
      {"input.atoms", "none",
       "atoms to begin with, on the same grid or surface, or by the same cost matrix, e.g. those of an earlier "
       "dictionary, "
       "dictionary.h5:/atoms?stack=1; where one is 0 it stays 0; none: some of the maps",
       check::text()},
  };
  for (const auto& more : {InputOptions::keys(), DictionarySettings::keys(), ParallelOptions::keys(),
                           ResourceOptions::keys(), CheckpointOptions::keys(), OutputOptions::keys("dictionary.h5")}) {
    all.insert(all.end(), more.begin(), more.end());
  }
  return all;
}

ExitCode body(const Communicator& world, const Options& options) {
  // 1. everything that can be refused at once
  const auto input = InputOptions::from(options);
  const auto output = OutputOptions::from(options);
  auto settings = DictionarySettings::from(options);
  check_writable(world, {output.file, output.picture});

  // 2. who owns which maps; atoms are everywhere
  const auto names = expand_everywhere(world, options.text("input.measures"));
  const bool given = options.text("input.atoms") != "none";
  const auto atom_names = given ? expand_everywhere(world, options.text("input.atoms")) : std::vector<std::string>();
  const Index count = static_cast<Index>(names.size());
  if (given) settings.atoms = static_cast<Index>(atom_names.size());
  if (!given && settings.atoms > count)
    options.reject("dictionary.atoms", "there are " + std::to_string(count) + " maps to begin with",
                   "take fewer atoms, or give them by input.atoms");
  const auto shape_on = [&](int ranks) { return ParallelOptions::from(options).shape(ranks, count); };
  const ProcessGrid processes(world, shape_on(world.size()));
  const Partition batches(count, 1, processes.shape().batches);

  // 3. what it takes; then owners read in parallel
  const Support support = settings.kernel.explicit_cost() ? read_index_sets(world, {names[0]})[0]
                                                          : read_common_support(world, input, names);
  settings.kernel.check(support, names[0]);
  settings.check_surface(options, "dictionary", support);
  const auto plan_with = [&](Index some, ProcessGridShape shape) {
    settings.places = some;
    return plan_dictionary(settings, {support, count, shape, !output.picture.empty()});
  };
  const auto [plan, places] = admit_sweeps(world, options, settings, plan_with, shape_on);
  settings.places = places;
  if (options.action() == Options::Action::dry_run) return ExitCode::done;
  RawMeasures raw = read_measures(processes, names, batches.block(processes.along_batches().rank()), {support});
  const NegativeValues negative = input.parts()[0].first;
  MeasureSet set = make_measures(processes, raw, std::move(raw.data), negative, input.normalize);
  MeasureSet atoms;
  if (given) {
    RawMeasures raw_atoms = read_measures(processes, atom_names, {0, settings.atoms}, {support});
    atoms = make_measures(processes, raw_atoms, std::move(raw_atoms.data), negative, input.normalize);
    raw.add_further(raw_atoms);
  }
  const OwnedRows rows = own_rows(support, processes.along_rows());
  if (settings.kernel.explicit_cost())  // groups of rows fail together
    world.agree([&] { read_cost_matrix(rows.along_rows, {support, support}, settings.kernel, raw); });
  settings.check_matrix(support, rows);
  settings.kernel.make_costs(support, rows);
  Checkpoint checkpoint(world, options, {program, options.dump(), raw.all_sha256(), processes.shape(), output.file});
  const auto file = create_result(world, output.file);

  // 4. solve
  DictionarySettings rest = settings;
  rest.stopping = settings.stopping.after(seconds_since_start());
  DictionarySolution solution;
  const auto work = [&] {
    solution = solve_dictionary(processes, rest, {support, std::move(set.weights), std::move(atoms.weights)},
                                make_fit_progress(output.progress, world.rank() == 0, "fall in ten"), &checkpoint);
    return !resumable(solution.outcome.reason);
  };
  checkpoint.once(work, [&](Archive& archive) { hpot::archive(archive, solution); });

  // 5. results
  const RunRecord run{options, raw, set, processes.shape(), {}, solution.outcome.seconds};
  if (world.rank() == 0) print_dictionary(run, settings, solution);
  write_dictionary(world, output, file.get(), support, run, settings, solution);
  close_result(world, file.get(), output, plan.bytes());
  const ExitCode code = exit_code(solution.outcome.reason);
  checkpoint.conclude(code);
  return code;
}

}  // namespace
}  // namespace hpot

int main(int argc, char** argv) {
  return hpot::run_main(argc, argv,
                        {hpot::program, "Wasserstein dictionaries: atoms of whose barycenters maps are made.",
                         hpot::keys(), hpot::body, hpot::restart_source()});
}
