#include "hpot/io/distances.hpp"

#include "hpot/core/session.hpp"
#include "hpot/io/checkpoint.hpp"
#include "hpot/io/distance_result.hpp"
#include "hpot/io/matrix_file.hpp"
#include "hpot/io/transport_maps.hpp"
#include "hpot/solver/study_plan.hpp"

#include <algorithm>

namespace hpot {
namespace {

bool is_given(const Options& options, const char* key) { return options.text(key) != "none"; }

struct StudyNames {
  std::vector<std::string> all;  // sources, then targets
  Index sources = 0;             // all of them where both sides are the same measures
};

StudyNames names_of(const Communicator& world, const Options& options) {
  StudyNames names;
  const bool both = is_given(options, "input.measures");
  names.all = expand_everywhere(world, options.text(both ? "input.measures" : "input.source"));
  names.sources = static_cast<Index>(names.all.size());
  if (both && names.sources < 2)
    options.reject("input.measures", "it names one measure, a matrix of distances needs two",
                   "name more, e.g. digits.idx.gz?count=100");
  if (both) return names;
  if (names.sources != 1)
    options.reject("input.source", "it names " + std::to_string(names.sources) + " measures, one is needed",
                   "pick one, e.g. by ?item=0, or name all pairs' by input.measures");
  const auto targets = expand_everywhere(world, options.text("input.target"));
  names.all.insert(names.all.end(), targets.begin(), targets.end());
  return names;
}

void refuse_what_is_of_one_pair(const Options& options, const TransportSettings& settings) {
  for (const char* key : {"output.plan", "output.map", "output.gradient", "output.interpolation", "output.colors"}) {
    if (options.given(key))
      options.reject(key, "plans, maps and frames are of one pair of measures", "leave it out, or solve that pair");
  }
  if (settings.mixing().type != "anderson" && settings.mixing().type != "none")
    options.reject("acceleration.type", "many pairs are swept plainly or mixed", "use auto, anderson or none");
  if (settings.finish.finish == "newton")
    options.reject("acceleration.finish", "Newton steps are of one pair of measures", "use auto or none");
}

/// Supports of the two sides, of clouds those with most points, for the plan.
std::pair<Support, Support> supports_for_plan(const std::vector<Support>& supports) {
  if (supports[0].cloud() == nullptr) return {supports[0], supports.back()};
  const auto most = std::max_element(supports.begin(), supports.end(),
                                     [](const Support& a, const Support& b) { return a.points() < b.points(); });
  return {*most, *most};
}

}  // namespace

std::vector<OptionKey> measure_keys() {
  return {
      {"input.source", "none", "measure a: a file, or synthetic:FAMILY?..."},
      {"input.target", "none",
       "measure b, on the same grid, or like a cloud of points. A comma list, a glob or a container of several: the "
       "distances of the source from each"},
      {"input.measures", "none",
       "in place of source and target: the distances between all pairs of these (comma list of files, globs, "
       "containers, synthetic:FAMILY?...)"},
  };
}

bool wants_distances(const Communicator& world, const Options& options) {
  if (is_given(options, "input.measures")) {
    for (const char* key : {"input.source", "input.target"}) {
      if (is_given(options, key))
        options.reject(key, "input.measures is given, too, which stands for both sides", "give one or the other");
    }
    return true;
  }
  for (const char* key : {"input.source", "input.target"}) {
    if (!is_given(options, key))
      options.reject(key, "a measure is needed", "name a file or a synthetic family; or give input.measures");
  }
  return expand_everywhere(world, options.text("input.target")).size() > 1;
}

ExitCode run_distances(const Communicator& world, const Options& options, const char* program) {
  // 1. everything that can be refused at once
  const auto input = InputOptions::from(options);
  const auto output = OutputOptions::from(options);
  const auto distances = DistanceOptions::from(options);
  auto settings = TransportSettings::from(options);
  settings.finish.finish = options.text("acceleration.finish") == "newton" ? "newton" : "none";
  check_writable(world, {output.file, output.picture});
  refuse_what_is_of_one_pair(options, settings);
  const StudyNames names = names_of(world, options);
  const auto count = static_cast<Index>(names.all.size());
  const Index targets = count - names.sources;

  // 2. what it takes; then every measure, read by one rank (clouds by all), whole on every rank
  const std::vector<Support> supports =
      settings.kernel.explicit_cost() ? read_index_sets(world, names.all) : read_supports(world, input, names.all);
  for (std::size_t k = 0; k < supports.size(); ++k) settings.kernel.check(supports[k], names.all[k]);
  check_study(options, names.all, supports, names.sources);
  const auto [source, target] = supports_for_plan(supports);
  StudyRun run{source, target, names.sources, targets, 0, world.size(), static_cast<int>(input.parts().size())};
  run.pairs = most_pairs(names.sources, targets);
  const auto limit = ResourceOptions::from(options).memory_limit;
  if (limit) run.room = *limit - world.max(static_cast<Real>(memory_at_start()));
  const auto planner = [&](const AccelerationOptions& acceleration, int ranks) -> std::optional<WorkPlan> {
    TransportSettings other = settings;
    other.acceleration = acceleration.type == "momentum" ? AccelerationOptions{"none", 1} : acceleration;
    run.ranks = ranks;
    return plan_study(other, run);
  };
  const auto [plan, acceleration] = admit(world, options, settings.acceleration, settings.mixing(), planner);
  settings.acceleration = acceleration.type == "momentum" ? AccelerationOptions{"none", 1} : acceleration;
  run.ranks = world.size();
  if (options.action() == Options::Action::dry_run) return ExitCode::done;
  const bool clouds = supports[0].cloud() != nullptr;
  const Range owned = clouds ? Range{0, count} : Partition(count, 1, world.size()).block(world.rank());
  const ProcessGrid processes(world, {1, world.size()});
  RawMeasures raw = read_measures(processes, names.all, owned, supports);
  if (settings.kernel.explicit_cost())
    read_cost_matrix(world.split(world.rank()), {source, target}, settings.kernel, raw);
  if (settings.kernel.is_geodesic()) settings.kernel.make_costs(source, own_rows(source, world.split(world.rank())));
  const Study study = make_study(settings, distances, names.sources, targets);
  Checkpoint checkpoint(world, options, {program, options.dump(), raw.all_sha256(), processes.shape(), output.file});
  const auto file = create_result(world, output.file);

  ExitCode code = ExitCode::done;
  for (const auto& [negative, group] : input.parts()) {
    // 3. weights
    const bool last_part = group == input.parts().back().second;
    MeasureSet set =
        make_measures(processes, raw, last_part ? std::move(raw.data) : raw.data, negative, input.normalize);
    if (settings.all_balanced()) check_components(world, raw, set);
    StudyMeasures measures = whole_measures(world, set, supports, owned, names.sources);
    measures.symmetric = study.alike;
    check_masses(settings, set.masses, input.normalize, study.pairs, names.sources);

    // 4. solve
    TransportSettings rest = settings;
    rest.stopping = settings.stopping.after(seconds_since_start());
    const StudySolution solution =
        solve_study(world, rest, std::move(measures), study.pairs, pairs_of_chunk(settings, run),
                    make_study_progress(output.progress, world.rank() == 0), &checkpoint);

    // 5. results
    write_distances(world, output, group, file.get(), {options, raw, set, processes.shape(), {}, solution.seconds},
                    study, supports[0], solution, settings.stopping);
    code = std::max(code, exit_code(solution.reason));
    if (code == ExitCode::interrupted) break;
  }
  close_result(world, file.get(), output, plan.bytes());
  checkpoint.conclude(code);
  return code;
}

}  // namespace hpot
