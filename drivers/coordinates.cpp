// hpot-coordinates: Wasserstein barycentric coordinates of a map among others.
#include "hpot/core/field.hpp"
#include "hpot/core/parallel_options.hpp"
#include "hpot/core/session.hpp"
#include "hpot/io/checkpoint.hpp"
#include "hpot/io/coordinate_result.hpp"
#include "hpot/io/fit_progress.hpp"
#include "hpot/io/matrix_file.hpp"
#include "hpot/solver/coordinate_plan.hpp"

#include <algorithm>

namespace hpot {
namespace {

const char* const program = "hpot-coordinates";

std::vector<OptionKey> keys() {
  std::vector<OptionKey> all = {
      {"input.measures", "",
       "comma list of files, globs, containers (digits.idx.gz?label=3&count=200) and synthetic:FAMILY?...",
       check::text(), true},
      {"input.target", "", "the map to be projected, on the same grid or surface, or by the same cost matrix",
       check::text(), true},
  };
  for (const auto& more : {InputOptions::keys(), CoordinateSettings::keys(), ParallelOptions::keys(),
                           ResourceOptions::keys(), CheckpointOptions::keys(), OutputOptions::keys("coordinates.h5")}) {
    all.insert(all.end(), more.begin(), more.end());
  }
  return all;
}

/// Both are read as measures are; the run's record names the target behind the measures.
RawMeasures read_target(const ProcessGrid& processes, const Options& options, const Support& support,
                        RawMeasures& measures) {
  const auto names = expand_everywhere(processes.world(), options.text("input.target"));
  if (names.size() != 1)
    options.reject("input.target", "it names " + std::to_string(names.size()) + " measures, one is needed",
                   "pick one, e.g. by ?item=0");
  RawMeasures target = read_measures(processes, names, {0, 1}, {support});
  measures.add_further(target);
  return target;
}

ExitCode body(const Communicator& world, const Options& options) {
  // 1. everything that can be refused at once
  const auto input = InputOptions::from(options);
  const auto output = OutputOptions::from(options);
  auto settings = CoordinateSettings::from(options);
  check_writable(world, {output.file, output.picture});

  // 2. who owns which measures
  const auto names = expand_everywhere(world, options.text("input.measures"));
  const Index count = static_cast<Index>(names.size());
  const auto shape_on = [&](int ranks) { return ParallelOptions::from(options).shape(ranks, count); };
  const ProcessGrid processes(world, shape_on(world.size()));
  const Partition batches(count, 1, processes.shape().batches);

  // 3. what it takes; then owners read in parallel, the target all
  const Support support = settings.kernel.explicit_cost() ? read_index_sets(world, {names[0]})[0]
                                                          : read_common_support(world, input, names);
  settings.kernel.check(support, names[0]);
  settings.check_surface(options, "coordinates", support);
  settings.grids = settings.grids_of(support);
  const auto plan_with = [&](Index some, ProcessGridShape shape) {
    settings.places = some;
    return plan_coordinates(settings, {support, count, shape, !output.picture.empty()});
  };
  const auto [plan, places] = admit_sweeps(world, options, settings, plan_with, shape_on);
  settings.places = places;
  if (options.action() == Options::Action::dry_run) return ExitCode::done;
  RawMeasures raw = read_measures(processes, names, batches.block(processes.along_batches().rank()), {support});
  RawMeasures raw_target = read_target(processes, options, support, raw);
  const OwnedRows rows = own_rows(support, processes.along_rows());
  if (settings.kernel.explicit_cost())  // groups of rows fail together
    world.agree([&] { read_cost_matrix(rows.along_rows, {support, support}, settings.kernel, raw); });
  settings.check_matrix(support, rows);
  settings.kernel.make_costs(support, rows);
  const NegativeValues negative = input.parts()[0].first;
  MeasureSet set = make_measures(processes, raw, std::move(raw.data), negative, input.normalize);
  MeasureSet target = make_measures(processes, raw_target, std::move(raw_target.data), negative, input.normalize);
  set.masses.push_back(target.masses[0]);
  set.masked += target.masked;
  set.clipped += target.clipped;
  Checkpoint checkpoint(world, options, {program, options.dump(), raw.all_sha256(), processes.shape(), output.file});
  const auto file = create_result(world, output.file);

  // 4. solve
  CoordinateSettings rest = settings;
  rest.stopping = settings.stopping.after(seconds_since_start());
  const Field shown = make_field("hpot::coordinates::shown", 1, owned_values(target.weights[0], rows));
  CoordinateSolution solution{{}, 0.0, rows, {}, {}, {}};
  const auto work = [&] {
    solution = solve_coordinates(processes, rest, {support, std::move(set.weights), std::move(target.weights[0])},
                                 make_fit_progress(output.progress, world.rank() == 0, "gap"), &checkpoint);
    return !resumable(solution.outcome.reason);
  };
  checkpoint.once(work, [&](Archive& archive) { hpot::archive(archive, solution); });

  // 5. results
  const RunRecord run{options, raw, set, processes.shape(), {}, solution.outcome.seconds};
  if (world.rank() == 0) print_coordinates(run, settings, solution);
  write_coordinates(processes, output, file.get(), support, run, settings, shown, solution);
  close_result(world, file.get(), output, plan.bytes());
  const ExitCode code = exit_code(solution.outcome.reason);
  checkpoint.conclude(code);
  return code;
}

}  // namespace
}  // namespace hpot

int main(int argc, char** argv) {
  return hpot::run_main(argc, argv,
                        {hpot::program, "Wasserstein barycentric coordinates: weights whose barycenter is near a map.",
                         hpot::keys(), hpot::body, hpot::restart_source()});
}
