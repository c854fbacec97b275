// hpot-sinkhorn: entropic transport between two measures on one grid, two clouds of points, or by a cost matrix; many pairs of
// measures: io/distances.hpp.
#include "hpot/core/session.hpp"
#include "hpot/io/checkpoint.hpp"
#include "hpot/io/colors.hpp"
#include "hpot/io/distance_result.hpp"
#include "hpot/io/distances.hpp"
#include "hpot/io/matrix_file.hpp"
#include "hpot/io/transport_maps.hpp"
#include "hpot/io/transport_result.hpp"
#include "hpot/measure/divided_support.hpp"
#include "hpot/solver/work_plan.hpp"

#include <algorithm>
#include <cstdio>
#include <utility>

namespace hpot {
namespace {

const char* const program = "hpot-sinkhorn";

std::vector<OptionKey> keys() {
  std::vector<OptionKey> all = measure_keys();
  for (const auto& more :
       {DistanceOptions::keys(), InputOptions::keys(), TransportSettings::keys(), ResourceOptions::keys(),
        CheckpointOptions::keys(), OutputOptions::keys("sinkhorn.h5"), MapOptions::keys()}) {
    all.insert(all.end(), more.begin(), more.end());
  }
  return all;
}

ExitCode body(const Communicator& world, const Options& options) {
  if (wants_distances(world, options)) return run_distances(world, options, program);

  // 1. everything that can be refused at once
  const auto input = InputOptions::from(options);
  const auto output = OutputOptions::from(options);
  auto maps = MapOptions::from(options);
  auto settings = TransportSettings::from(options);
  check_writable(world, {output.file, output.picture, maps.interpolation, maps.colors});
  const bool divergence = options.flag("sinkhorn.divergence");

  // 2. what it takes; then both measures, whole on every rank; their rows are divided later
  std::vector<std::string> names;
  for (const char* key : {"input.source", "input.target"}) {
    const auto found = expand_everywhere(world, options.text(key));
    if (found.size() != 1)
      options.reject(key, "it names " + std::to_string(found.size()) + " measures, one is needed",
                     "pick one, e.g. by ?item=0");
    names.push_back(found[0]);
  }
  std::vector<Support> supports =
      settings.kernel.explicit_cost() ? read_index_sets(world, names) : read_supports(world, input, names);
  for (std::size_t side = 0; side < supports.size(); ++side) settings.kernel.check(supports[side], names[side]);
  check_outputs(options, output, maps, divergence, supports[0]);
  if (!maps.colors.empty()) maps.pixels = count_pixels(world, options, names[0]);
  TransportRun run{supports[0], supports[1],     world.size(), static_cast<int>(input.parts().size()),
                   divergence,  input.normalize, maps.run(),   !output.picture.empty()};
  settings.finish = admitted_finish(world, options, settings, run);
  const auto planner = [&](const AccelerationOptions& acceleration, int ranks) -> std::optional<WorkPlan> {
    TransportSettings other = settings;
    other.acceleration = acceleration;
    run.ranks = ranks;
    return plan_transport(other, run);
  };
  const auto [plan, acceleration] = admit(world, options, settings.acceleration, settings.mixing(), planner);
  settings.acceleration = acceleration;
  if (options.action() == Options::Action::dry_run) return ExitCode::done;
  const ProcessGrid processes(world, {world.size(), 1});
  RawMeasures raw = read_measures(processes, names, {0, 2}, supports);
  if (settings.kernel.explicit_cost()) read_cost_matrix(world, supports, settings.kernel, raw);
  settings.kernel.make_costs(supports[0], own_rows(supports[0], world));
  const bool divided = divides_points(settings, run);
  run.source = run.target = {};  // their points are raw's alone from here on
  supports.clear();
  Checkpoint checkpoint(world, options, {program, options.dump(), raw.all_sha256(), processes.shape(), output.file});
  const auto file = create_result(world, output.file);

  ExitCode code = ExitCode::done;
  for (const auto& [negative, group] : input.parts()) {
    // 3. weights
    const bool last_part = group == input.parts().back().second;
    MeasureSet set =
        make_measures(processes, raw, last_part ? std::move(raw.data) : raw.data, negative, input.normalize);
    if (settings.all_balanced()) check_components(world, raw, set);
    const Raster picture = picture_of_pair(world, output, raw.supports, set.weights);
    TransportData data{raw.supports[0], raw.supports[1], std::move(set.weights[0]), std::move(set.weights[1])};

    OwnedPair pair = owned_pair(maps, world, data);

    // 4. solve
    TransportSettings rest = settings;
    rest.stopping = settings.stopping.after(seconds_since_start());
    HistoryMonitor history;
    TransportSolution solution{{}, {}, 0.0, 0.0, own_rows(raw.supports[0], world), own_rows(raw.supports[1], world),
                               {}, {}};
    std::vector<DividedSupport> points;
    for (std::size_t side = 0; divided && side < 2; ++side)
      points.emplace_back(std::exchange(raw.supports[side], {}), world);
    const auto work = [&] {
      const auto progress = make_progress_monitor(output.progress, world.rank() == 0);
      solution =
          solve_transport(world, rest, divergence ? data : std::move(data), {&history, progress.get()}, &checkpoint);
      return !resumable(solution.outcome.reason);
    };
    checkpoint.once(work, [&](Archive& archive) {
      hpot::archive(archive, solution);
      history.archive(archive);
    });
    for (std::size_t side = 0; side < points.size(); ++side) raw.supports[side] = points[side].whole();
    points.clear();
    if (world.rank() == 0) {
      print_transport(group, solution);
      std::fputs(
          advice(solution.outcome, settings.stopping, solution.target_epsilon, solution.values.error_floor).c_str(),
          stderr);
    }
    code = std::max(code, exit_code(solution.outcome.reason));

    // 5. results
    write_transport(world, output, group, file.get(),
                    {options, raw, set, processes.shape(), history.history(), solution.outcome.seconds}, solution,
                    picture);
    if (!resumable(solution.outcome.reason)) {
      write_maps(world, maps, output, group, file.get(), settings, names[0], raw.supports, std::move(pair), solution);
    }
    if (divergence && !resumable(solution.outcome.reason)) {
      rest.stopping = settings.stopping.after(seconds_since_start());
      const Divergence result = sinkhorn_divergence(world, rest, std::move(data), solution, &checkpoint);
      write_divergence(world, group, file.get(), result);
      code = std::max(code, exit_code(result.reason));
    }
    if (code == ExitCode::interrupted) break;
  }
  close_result(world, file.get(), output, plan.bytes());
  checkpoint.conclude(code);
  return code;
}

}  // namespace
}  // namespace hpot

int main(int argc, char** argv) {
  return hpot::run_main(argc, argv,
                        {hpot::program, "Entropic optimal transport between two measures, or many pairs of them.",
                         hpot::keys(), hpot::body, hpot::restart_source()});
}
