// hpot-scaling: one sweep of an operator, or a gradient, on this number of ranks; a row of a CSV table for each run.
#include "hpot/solver/scaling.hpp"
#include "hpot/core/memory.hpp"
#include "hpot/core/parallel_options.hpp"
#include "hpot/core/session.hpp"
#include "hpot/io/csv_row.hpp"
#include "hpot/io/result.hpp"
#include "hpot/solver/sweep_times.hpp"

#include <algorithm>
#include <cstdio>

namespace hpot {
namespace {

constexpr Index mebibyte = Index{1} << 20;

std::vector<OptionKey> keys() {
  std::vector<OptionKey> all = ScalingOptions::keys();
  const std::vector<OptionKey> own = {
      {"scaling.warm_up", "3", "sweeps before those that are timed", check::integer(1, 1000000)},
      {"scaling.repetitions", "10", "sweeps that are timed, each from a barrier", check::integer(1, 1000000)},
      {"scaling.ceilings", "true", "measure the machine's ceilings on all ranks at once, for percentages",
       check::flag()},
      {"output.file", "scaling.csv", "CSV table; a row is added where it is there already", check::text()},
  };
  for (const auto& more : {ParallelOptions::keys(), own}) all.insert(all.end(), more.begin(), more.end());
  return all;
}

/// Seconds that a sweep takes at the ceiling which binds the slowest rank, and its name.
std::pair<Real, std::string> bound_of(const Communicator& world, const std::vector<Demand>& least) {
  const Ceilings ceilings = Ceilings::measure({3, 0.1}, 64 * mebibyte);
  Benchmark sweep;
  sweep.demands = least;
  return {world.max(sweep.bound(ceilings)), name(sweep.binding(ceilings))};
}

std::string text_of(Real value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", value);
  return text;
}

ExitCode body(const Communicator& world, const Options& options) {
  // 1. everything that can be refused at once
  const auto scaling = ScalingOptions::from(options);
  const std::string file = options.text("output.file");
  check_writable(world, {file});
  const Index batch = scaling.of_measures() ? scaling.on(world.size()).measures : 1;
  const ParallelOptions parallel = ParallelOptions::from(options);
  const ProcessGrid processes(
      world, scaling.of_measures() ? parallel.shape(world.size(), batch) : ProcessGridShape{world.size(), 1});
  if (options.action() == Options::Action::dry_run) {
    const WorkPlan plan = plan_scaling(scaling, processes.shape());
    if (world.rank() == 0) std::fputs(describe(plan, world.size()).c_str(), stdout);
    return ExitCode::done;
  }

  // 2. input, apart from the sweeps
  ScalingCase made;
  const Real setup = sweep_seconds(world, 1, [&] { made = make_scaling_case(processes, scaling); })[0];
  // 3. warm-up, and what it sends from the second sweep of an eps on; then every repetition by itself
  sweep_seconds(world, options.integer("scaling.warm_up"), made.sweep);
  const Traffic before = Communicator::traffic();
  made.sweep();
  const Traffic after = Communicator::traffic();
  StepTimes times;
  const Index repetitions = options.integer("scaling.repetitions");
  const std::vector<Real> seconds = sweep_seconds(world, repetitions, made.sweep);
  const std::string steps = steps_text(world, times, static_cast<Real>(repetitions));

  // 4. the network, and the machine when all ranks work at once
  std::vector<Real> one(1), many(mebibyte / 8);
  const Real latency = quantile(sweep_seconds(world, 50, [&] { world.max(one); }), 0.5);
  const Real megabyte = quantile(sweep_seconds(world, 20, [&] { world.sum(many); }), 0.5);
  const Real median = quantile(seconds, 0.5);
  std::string ceiling, percent;
  if (options.flag("scaling.ceilings") && !made.least.empty()) {
    const auto [bound, name] = bound_of(world, made.least);
    ceiling = name;
    percent = text_of(100.0 * bound / median);
  }

  // 5. the row
  const auto exact = [&](Index value) {
    return std::to_string(static_cast<Index>(world.max(static_cast<Real>(value))));
  };
  std::string size = made.size;
  std::replace(size.begin(), size.end(), ',', ';');
  const CsvColumns columns = {
      {"operator", scaling.op},
      {"scaling", scaling.weak ? "weak" : "strong"},
      {"size", size},
      {"n", scaling.sides.empty() ? std::to_string(scaling.on(world.size()).n) : options.text("scaling.n")},
      {"dimension", std::to_string(scaling.dimension)},
      {"measures", std::to_string(batch)},
      {"sweeps", std::to_string(scaling.op == "coordinates" ? scaling.sweeps : 1)},
      {"sweeps_made", std::to_string(scaling.sweeps_made())},
      {"debiased", scaling.debiased ? "true" : "false"},
      {"precision", options.text("scaling.precision")},
      {"epsilon", options.text("scaling.epsilon")},
      {"ranks", std::to_string(world.size())},
      {"rows", std::to_string(processes.shape().rows)},
      {"batches", std::to_string(processes.shape().batches)},
      {"threads", std::to_string(threads_per_rank())},
      {"warm_up", options.text("scaling.warm_up")},
      {"repetitions", std::to_string(repetitions)},
      {"seconds_median", text_of(median)},
      {"seconds_min", text_of(quantile(seconds, 0.0))},
      {"seconds_quartile_1", text_of(quantile(seconds, 0.25))},
      {"seconds_quartile_3", text_of(quantile(seconds, 0.75))},
      {"seconds_max", text_of(quantile(seconds, 1.0))},
      {"setup_seconds", text_of(setup)},
      {"interactions_per_sweep", text_of(made.interactions)},
      {"interactions_per_second", text_of(made.interactions / median)},
      {"ceiling", ceiling},
      {"percent_of_ceiling", percent},
      {"calls_per_sweep", exact(after.calls - before.calls)},
      {"bytes_per_sweep", exact(after.bytes - before.bytes)},
      {"latency_seconds", text_of(latency)},
      {"megabyte_seconds", text_of(megabyte)},
      {"memory_bytes", exact(memory_growth())},
      {"steps", steps}};
  world.agree([&] {
    if (world.rank() == 0) append_row(file, columns);
  });
  return ExitCode::done;
}

}  // namespace
}  // namespace hpot

int main(int argc, char** argv) {
  return hpot::run_main(
      argc, argv,
      {"hpot-scaling",
       "Times a sweep on synthetic input of any size, for scaling studies: a row of a table for each run.",
       hpot::keys(), hpot::body});
}
