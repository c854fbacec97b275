// hpot-barycenter: Wasserstein barycenters of measures on one grid.
#include "hpot/core/parallel_options.hpp"
#include "hpot/core/session.hpp"
#include "hpot/io/barycenter_result.hpp"
#include "hpot/io/checkpoint.hpp"
#include "hpot/solver/work_plan.hpp"

#include <algorithm>

namespace hpot {
namespace {

const char* const program = "hpot-barycenter";

std::vector<OptionKey> keys() {
  std::vector<OptionKey> all = {
      {"input.measures", "",
       "comma list of files, globs, containers (digits.idx.gz?label=3&count=200) and synthetic:FAMILY?...",
       check::text(), true},
  };
  for (const auto& more : {InputOptions::keys(), BarycenterSettings::keys(), ParallelOptions::keys(),
                           ResourceOptions::keys(), CheckpointOptions::keys(), OutputOptions::keys("barycenter.h5")}) {
    all.insert(all.end(), more.begin(), more.end());
  }
  return all;
}

ExitCode body(const Communicator& world, const Options& options) {
  // 1. everything that can be refused at once
  const auto input = InputOptions::from(options);
  const auto output = OutputOptions::from(options);
  auto settings = BarycenterSettings::from(options);
  if (settings.kernel.explicit_cost())
    options.reject("cost.type", "a barycenter lives on a grid, a cost matrix on none", "take another cost");
  if (is_of_directions(settings.kernel.cost))
    options.reject("cost.type", "a barycenter lives on a grid, whose points are no directions", "take another cost");
  check_writable(world, {output.file, output.picture});
  if (!input.normalize) options.reject("input.normalize", "barycenters are of measures of mass 1", "set it to true");

  // 2. who owns which measures
  const auto names = expand_everywhere(world, options.text("input.measures"));
  const Index count = static_cast<Index>(names.size());
  const auto lambdas = barycenter_weights(options, count);
  const ProcessGrid processes(world, ParallelOptions::from(options).shape(world.size(), count));
  const Partition batches(count, 1, processes.shape().batches);

  // 3. what it takes; then owners read in parallel
  BarycenterRun run{read_first_grid(world, names),
                    count,
                    processes.shape(),
                    static_cast<Index>(lambdas.size()),
                    static_cast<int>(input.parts().size()),
                    !output.picture.empty()};
  const auto planner = [&](const AccelerationOptions& acceleration, int ranks) -> std::optional<WorkPlan> {
    BarycenterSettings other = settings;
    other.acceleration = acceleration;
    run.shape = ParallelOptions::from(options).shape(ranks, count);
    if (run.shape.rows * run.shape.batches != ranks) return {};
    return plan_barycenter(other, run);
  };
  const auto [plan, acceleration] =
      admit(world, options, settings.acceleration, settings.acceleration_on(run.grid), planner);
  settings.acceleration = acceleration;
  if (options.action() == Options::Action::dry_run) return ExitCode::done;
  RawMeasures raw = read_measures(world, names, batches.block(processes.along_batches().rank()), {run.grid});
  Checkpoint checkpoint(world, options, {program, options.dump(), raw.sha256, processes.shape(), output.file});
  const auto file = create_result(world, output.file);
  ExitCode code = ExitCode::done;
  std::size_t solves_left = input.parts().size() * lambdas.size();
  for (const auto& [negative, group] : input.parts()) {
    // 4. solve, one row of weights after the other; only the last takes the values as read themselves
    std::vector<BarycenterSolution> solutions;
    double seconds = 0.0;
    HistoryMonitor history;
    MeasureSet set;
    for (std::size_t row = 0; row < lambdas.size() && code != ExitCode::interrupted; ++row) {
      set = make_measures(world, raw, --solves_left == 0 ? std::move(raw.data) : raw.data, negative, input.normalize,
                          processes.shape().rows);
      const std::vector<Real> owned(lambdas[row].begin() + raw.owned.begin, lambdas[row].begin() + raw.owned.end);
      BarycenterSolution solution{{}, 0.0, own_rows(run.grid, processes.along_rows()), {}, settings.debiased};
      history.begin_row(static_cast<std::int32_t>(row));
      const auto work = [&] {
        BarycenterSettings rest = settings;
        rest.stopping = settings.stopping.after(seconds_since_start());
        const auto progress = make_progress_monitor(output.progress, world.rank() == 0);
        solution = solve_barycenter(processes, rest, run.grid, std::move(set.weights), owned,
                                    {&history, progress.get()}, &checkpoint);
        return !resumable(solution.outcome.reason);
      };
      checkpoint.once(work, [&](Archive& archive) {
        hpot::archive(archive, solution);
        history.archive(archive);
      });
      if (world.rank() == 0) print_barycenter(group, row, lambdas.size(), settings.stopping, solution);
      code = std::max(code, exit_code(solution.outcome.reason));
      seconds += solution.outcome.seconds;
      solutions.push_back(std::move(solution));
    }

    // 5. results, of all rows or of those that were begun
    write_barycenters(world, output, group, file.get(), run.grid,
                      {options, raw, set, processes.shape(), history.history(), seconds},
                      {lambdas.begin(), lambdas.begin() + static_cast<std::ptrdiff_t>(solutions.size())}, solutions);
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
                        {hpot::program, "Wasserstein barycenters of measures on one grid.", hpot::keys(), hpot::body,
                         hpot::restart_source()});
}
