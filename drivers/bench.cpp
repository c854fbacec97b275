// hpot-bench: how fast this machine is, and every kernel as a percentage of that.
#include "hpot/core/session.hpp"
#include "hpot/io/result.hpp"
#include "hpot/kernel/lanes.hpp"
#include "hpot/problem/problem_benchmarks.hpp"
#include "hpot/solver/work_plan.hpp"

#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

namespace hpot {
namespace {

constexpr Index mebibyte = Index{1} << 20;

std::vector<OptionKey> keys() {
  return {
      {"bench.size", "128", "side of the volume; its lines are what the axis kernels reduce", check::integer(2, 1024)},
      {"bench.image", "512", "side of the image; sweeps take one of twice that, too", check::integer(2, 16384)},
      {"bench.points", "64",
       "side of the image whose points the dense operator takes; a cost matrix has as many rows, clouds of the "
       "truncated operator 16 times as many",
       check::integer(2, 256)},
      {"bench.memory", "128",
       "MiB of each array that measures the memory and the pointwise kernels; far more than the caches",
       check::integer(1, 1 << 20)},
      {"bench.repetitions", "3", "measurements of each kernel at least, after one to warm up",
       check::integer(1, 1000000)},
      {"bench.seconds", "0.2", "seconds for each kernel at least", check::real(0.0, 3600.0)},
      {"output.file", "bench.csv", "CSV table; its folder must exist", check::text()},
  };
}

/// What both tables show of one measurement.
struct Row {
  const Benchmark& benchmark;
  Timing timing;
  std::string ceiling;
  double percent;
  [[nodiscard]] double rate() const { return benchmark.amount / timing.least; }
};

/// The terminal's table, and the file's, which appears under its name when complete.
class Table {
 public:
  explicit Table(std::string path)
      : path_(std::move(path)), temporary_(path_ + ".tmp." + std::to_string(getpid())), csv_(temporary_) {
    csv_ << "kernel,size,epsilon,precision,threads,seconds_min,seconds_median,seconds_max,amount,rate,unit,ceiling,"
            "percent\n";
    std::printf("%-18s %-13s %8s %-6s %10s %10s %9s  %-26s %s\n", "kernel", "size", "epsilon", "", "min s", "median s",
                "amount", "rate", "of its ceiling");
  }
  ~Table() {
    std::error_code ignored;
    std::filesystem::remove(temporary_, ignored);
  }
  Table(const Table&) = delete;
  Table& operator=(const Table&) = delete;

  void add(const Row& row) {
    const Benchmark& b = row.benchmark;
    char epsilon[32] = "";
    if (b.epsilon > 0.0) std::snprintf(epsilon, sizeof epsilon, "%.6g", b.epsilon);
    char numbers[192];
    std::snprintf(numbers, sizeof numbers, "%d,%.6e,%.6e,%.6e,%.15g,%.6e", threads_per_rank(), row.timing.least,
                  row.timing.median, row.timing.most, b.amount, row.rate());
    csv_ << b.kernel << ',' << b.size << ',' << epsilon << ',' << b.precision << ',' << numbers << ',' << b.unit
         << "/s," << row.ceiling << ',' << row.percent << '\n';
    char rate[64];
    std::snprintf(rate, sizeof rate, "%.2e %s/s", row.rate(), b.unit.c_str());
    std::printf("%-18s %-13s %8s %-6s %10.3g %10.3g %9.2e  %-26s %5.1f %% %s\n", b.kernel.c_str(), b.size.c_str(),
                epsilon, b.precision.c_str(), row.timing.least, row.timing.median, b.amount, rate, row.percent,
                row.ceiling.c_str());
    std::fflush(stdout);
  }

  void complete() {
    csv_.close();
    std::error_code error;
    if (csv_) std::filesystem::rename(temporary_, path_, error);
    require(csv_ && !error, path_, "cannot be written", "check that the folder may be written to and has room");
  }

 private:
  std::string path_;
  std::string temporary_;
  std::ofstream csv_;
};

ExitCode body(const Communicator& world, const Options& options) {
  // 1. everything that can be refused at once
  require(world.size() == 1, "hpot-bench", "it measures one process, not " + std::to_string(world.size()),
          "start it on one rank, with OMP_NUM_THREADS threads");
  const std::string file = options.text("output.file");
  check_writable(world, {file});
  const Index array_bytes = options.integer("bench.memory") * mebibyte;
  const Effort effort{options.integer("bench.repetitions"), options.real("bench.seconds")};

  // 2. what there is to measure
  auto all = kernel_benchmarks({options.integer("bench.size"), options.integer("bench.image")});
  for (auto& more : pair_benchmarks(world, options.integer("bench.points"))) all.push_back(std::move(more));
  for (auto& more : truncated_benchmarks(options.integer("bench.points"))) all.push_back(std::move(more));
  for (auto& more : problem_benchmarks(world, array_bytes)) all.push_back(std::move(more));
  std::printf("%s; %d threads, %d lanes\n", version_text().c_str(), threads_per_rank(), lanes::width);
  WorkPlan plan;  // one benchmark's data are there at a time
  plan.consider("memory ceilings", {library_buffers(), {"three arrays", 3.0 * static_cast<double>(array_bytes)}});
  for (const Benchmark& b : all) plan.consider(b.kernel + " " + b.size, {library_buffers(), {"its arrays", b.bytes}});
  if (options.action() == Options::Action::dry_run) {
    for (const Benchmark& b : all)
      std::printf("%-18s %-13s %s\n", b.kernel.c_str(), b.size.c_str(), b.precision.c_str());
    std::fputs(describe(plan, world.size()).c_str(), stdout);
    return ExitCode::done;
  }

  // 3. the machine
  Table table(file);
  const Ceilings ceilings = Ceilings::measure(effort, array_bytes);
  for (const Ceiling ceiling : all_ceilings) {
    const auto& [amount, timing] = ceilings.at(ceiling);
    table.add({{"ceiling", "", 0.0, "", amount, unit(ceiling), {}, 0.0, {}}, timing, name(ceiling), 100.0});
  }

  // 4. the kernels
  for (Benchmark& benchmark : all) {
    const Timing timing = time_of(effort, benchmark.prepare(benchmark));
    table.add({benchmark, timing, name(benchmark.binding(ceilings)), 100.0 * benchmark.bound(ceilings) / timing.least});
  }
  table.complete();
  std::printf("rates and percentages are of the least time; table: %s\nmemory taken: %s, planned: %s\n", file.c_str(),
              bytes_text(static_cast<Real>(memory_growth())).c_str(), bytes_text(plan.bytes()).c_str());
  return ExitCode::done;
}

}  // namespace
}  // namespace hpot

int main(int argc, char** argv) {
  return hpot::run_main(
      argc, argv,
      {"hpot-bench", "This machine's speed, and every kernel as a percentage of it.", hpot::keys(), hpot::body});
}
