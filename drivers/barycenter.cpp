// hpot-barycenter: Wasserstein barycenters of measures on one grid or surface, or of clouds with a free support.
#include "hpot/core/parallel_options.hpp"
#include "hpot/core/session.hpp"
#include "hpot/io/barycenter_result.hpp"
#include "hpot/io/checkpoint.hpp"
#include "hpot/io/free_support_input.hpp"
#include "hpot/solver/work_plan.hpp"

#include <algorithm>
#include <optional>

namespace hpot {
namespace {

const char* const program = "hpot-barycenter";

std::vector<OptionKey> keys() {
  std::vector<OptionKey> all = {
      {"input.measures", "",
       "comma list of files, globs, containers (digits.idx.gz?label=3&count=200) and synthetic:FAMILY?...",
       check::text(), true},
  };
  for (const auto& more :
       {InputOptions::keys(), BarycenterSettings::keys(), ParallelOptions::keys(), ResourceOptions::keys(),
        CheckpointOptions::keys(), OutputOptions::keys("barycenter.h5"), CompanionOptions::keys()}) {
    all.insert(all.end(), more.begin(), more.end());
  }
  return all;
}

std::vector<PointCloud> clouds_of(const RawMeasures& raw) {
  std::vector<PointCloud> clouds;
  for (const Support& support : raw.supports) clouds.push_back(*support.cloud());
  return clouds;
}

ExitCode body(const Communicator& world, const Options& options) {
  // 1. everything that can be refused at once
  const auto input = InputOptions::from(options);
  const auto output = OutputOptions::from(options);
  const auto beside = CompanionOptions::from(options);
  auto settings = BarycenterSettings::from(options);
  if (settings.kernel.explicit_cost() && !settings.free_support)
    options.reject("cost.type", "a barycenter lives on a grid or a surface, a cost matrix on none",
                   "take another cost");
  if (is_of_directions(settings.kernel.cost))
    options.reject("cost.type", "a barycenter lives on a grid, whose points are no directions", "take another cost");
  if (settings.free_support && !input.mesh.empty())
    options.reject("barycenter.method", "a barycenter of maps on a surface lives on its vertices",
                   "take plain or debiased");
  check_writable(world, {output.file, output.picture});

  // 2. who owns which measures
  const auto names = expand_everywhere(world, options.text("input.measures"));
  const Index count = static_cast<Index>(names.size());
  const auto lambdas = barycenter_weights(options, count);
  const auto parallel = ParallelOptions::from(options);
  const ProcessGrid processes(world, parallel.shape(world.size(), count));
  const Partition batches(count, 1, processes.shape().batches);

  // 3. what it takes; then owners read in parallel
  std::optional<FreeSupportInput> clouds;
  if (settings.free_support) clouds.emplace(world, options, names);
  BarycenterRun run{clouds ? clouds->sizes().largest() : read_common_support(world, input, names),
                    count,
                    processes.shape(),
                    static_cast<Index>(lambdas.size()),
                    static_cast<int>(input.parts().size()),
                    !output.picture.empty(),
                    beside.maps(static_cast<Index>(lambdas.size()), count),
                    clouds ? clouds->sizes() : CloudSizes{}};
  settings.kernel.check(run.support, names[0]);
  settings.check_entropy_bound(run.support);
  settings.check_variation(run.support);
  const auto planner = [&](const AccelerationOptions& acceleration, int ranks) -> std::optional<WorkPlan> {
    BarycenterSettings other = settings;
    other.acceleration = acceleration;
    run.shape = parallel.shape(ranks, count);
    if (run.shape.rows * run.shape.batches != ranks) return {};
    return plan_barycenter(other, run);
  };
  const auto [plan, acceleration] =
      admit(world, options, settings.acceleration, settings.acceleration_on(run.support), planner);
  settings.acceleration = acceleration;
  if (options.action() == Options::Action::dry_run) return ExitCode::done;
  RawMeasures raw = read_measures(processes, names, batches.block(processes.along_batches().rank()),
                                  {clouds ? clouds->any_point() : run.support});
  if (clouds) clouds->read_start(world, raw);
  if (!clouds) settings.kernel.make_costs(run.support, own_rows(run.support, processes.along_rows()));
  Checkpoint checkpoint(world, options, {program, options.dump(), raw.all_sha256(), processes.shape(), output.file});
  const auto file = create_result(world, output.file);
  ExitCode code = ExitCode::done;
  std::size_t solves_left = input.parts().size() * lambdas.size();
  for (const auto& [negative, group] : input.parts()) {
    // 4. solve, one row of weights after the other; only the last takes the values as read themselves
    std::vector<BarycenterSolution> solutions;
    double seconds = 0.0;
    HistoryMonitor history;
    MeasureSet set;
    Companions companions;
    for (std::size_t row = 0; row < lambdas.size() && code != ExitCode::interrupted; ++row) {
      set =
          make_measures(processes, raw, --solves_left == 0 ? std::move(raw.data) : raw.data, negative, input.normalize);
      settings.check_masses(set.masses);
      if (settings.all_balanced()) check_components(world, raw, set);
      const std::vector<Real> owned(lambdas[row].begin() + raw.owned.begin, lambdas[row].begin() + raw.owned.end);
      const CloudData start = clouds ? clouds->start(processes, raw, set.weights, owned) : CloudData{};
      const Support support = clouds ? Support(start.cloud) : run.support;
      BarycenterSolution solution{{}, 0.0, own_rows(support, processes.along_rows()), {}, settings.debiased, {}};
      if (clouds) solution.free.points = start.cloud;
      add_companions(beside, processes, solution.rows, raw, set.weights, owned, companions);
      history.begin_row(static_cast<std::int32_t>(row));
      const auto work = [&] {
        BarycenterSettings rest = settings;
        rest.stopping = settings.stopping.after(seconds_since_start());
        const auto progress = make_progress_monitor(output.progress, world.rank() == 0);
        const std::vector<Monitor*> monitors{&history, progress.get()};
        solution =
            clouds
                ? solve_free_support(processes, rest,
                                     {start.cloud, start.values, clouds_of(raw), std::move(set.weights), owned},
                                     monitors, &checkpoint)
                : solve_barycenter(processes, rest, run.support, std::move(set.weights), owned, monitors, &checkpoint);
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
    write_barycenters(processes, output, group, file.get(), run.support,
                      {options, raw, set, processes.shape(), history.history(), seconds},
                      {lambdas.begin(), lambdas.begin() + static_cast<std::ptrdiff_t>(solutions.size())}, solutions,
                      companions);
    if (code == ExitCode::interrupted) break;
  }
  close_result(world, file.get(), output, plan.bytes());
  checkpoint.conclude(code);
  return code;
}

}  // namespace
}  // namespace hpot

int main(int argc, char** argv) {
  return hpot::run_main(
      argc, argv,
      {hpot::program, "Wasserstein barycenters of measures on one grid or surface, or of clouds of points.",
       hpot::keys(), hpot::body, hpot::restart_source()});
}
