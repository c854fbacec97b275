// hpot-sinkhorn: entropic transport between two measures on one grid.
#include "hpot/core/session.hpp"
#include "hpot/io/transport_result.hpp"
#include "hpot/solver/work_plan.hpp"

#include <chrono>
#include <cstdio>

namespace hpot {
namespace {

std::vector<OptionKey> keys() {
  std::vector<OptionKey> all = {
      {"input.source", "", "measure a: a file, or synthetic:FAMILY?...", check::text(), true},
      {"input.target", "", "measure b, on the same grid", check::text(), true},
      {"sinkhorn.divergence", "false", "also solve (a,a) and (b,b), and report the Sinkhorn divergence", check::flag()},
  };
  for (const auto& more :
       {InputOptions::keys(), TransportSettings::keys(), ResourceOptions::keys(), OutputOptions::keys("sinkhorn.h5")}) {
    all.insert(all.end(), more.begin(), more.end());
  }
  return all;
}

ExitCode body(const Communicator& world, const Options& options) {
  // 1. everything that can be refused at once
  const auto input = InputOptions::from(options);
  const auto output = OutputOptions::from(options);
  const auto settings = TransportSettings::from(options);
  check_writable(world, {output.file, output.picture});

  // 2. what it takes; then both measures, whole on every rank; their rows are divided later
  std::vector<std::string> names;
  for (const char* key : {"input.source", "input.target"}) {
    const auto found = expand_everywhere(world, options.text(key));
    if (found.size() != 1)
      options.reject(key, "it names " + std::to_string(found.size()) + " measures, one is needed",
                     "pick one, e.g. by ?item=0");
    names.push_back(found[0]);
  }
  const bool divergence = options.flag("sinkhorn.divergence");
  TransportRun run{read_first_grid(world, names), world.size(), static_cast<int>(input.parts().size()), divergence};
  const auto planner = [&](const AccelerationOptions& acceleration, int ranks) -> std::optional<WorkPlan> {
    TransportSettings other = settings;
    other.acceleration = acceleration;
    run.ranks = ranks;
    return plan_transport(other, run);
  };
  const WorkPlan plan = admit(world, options, settings.acceleration, planner);
  if (options.action() == Options::Action::dry_run) return ExitCode::done;
  RawMeasures raw = read_measures(world, names, {0, 2});
  const auto file = create_result(world, output.file);

  ExitCode code = ExitCode::done;
  for (const auto& [negative, group] : input.parts()) {
    // 3. weights
    const bool last_part = group == input.parts().back().second;
    MeasureSet set =
        make_measures(world, raw, last_part ? std::move(raw.data) : raw.data, negative, input.normalize, world.size());
    const Raster picture = picture_of_pair(world, output, raw.grid, set.weights);
    TransportData data{raw.grid, raw.grid, std::move(set.weights[0]), std::move(set.weights[1])};

    // 4. solve
    const auto start = std::chrono::steady_clock::now();
    HistoryMonitor history;
    auto progress = make_progress_monitor(output.progress, world.rank() == 0);
    const TransportSolution solution =
        solve_transport(world, settings, divergence ? data : std::move(data), {&history, progress.get()});
    progress.reset();
    if (world.rank() == 0) {
      print_transport(group, solution);
      std::fputs(
          advice(solution.outcome, settings.stopping, solution.target_epsilon, solution.values.error_floor).c_str(),
          stderr);
    }
    if (divergence) {
      const Real value = sinkhorn_divergence(world, settings, std::move(data), solution);
      if (world.rank() == 0) {
        std::printf("  divergence      %.12g\n", value);
        file->attribute(group.empty() ? "/" : group, "divergence", value);
      }
    }

    // 5. results
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    write_transport(world, output, group, file.get(),
                    {options, raw, set, {world.size(), 1}, history.history(), seconds}, solution, picture);
    if (code == ExitCode::done) code = exit_code(solution.outcome.reason);
  }
  close_result(world, file.get(), output, plan.bytes());
  return code;
}

}  // namespace
}  // namespace hpot

int main(int argc, char** argv) {
  return hpot::run_main(
      argc, argv,
      {"hpot-sinkhorn", "Entropic optimal transport between two measures on one grid.", hpot::keys(), hpot::body});
}
