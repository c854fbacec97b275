#include "hpot/core/session.hpp"

#include "hpot/core/memory.hpp"

#include <mpi.h>
#include <sched.h>
#ifdef KOKKOS_ENABLE_OPENMP
#include <omp.h>
#endif

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <thread>

namespace hpot {
namespace {

constexpr auto patience = std::chrono::seconds(5);         // for the other ranks to report the same error
constexpr auto little_patience = std::chrono::seconds(1);  // memory runs out where it does

volatile std::sig_atomic_t stop_signal = 0;
std::chrono::steady_clock::time_point session_start;

extern "C" void remember_stop(int signal) {
  stop_signal = 1;
  if (signal == SIGTERM) std::signal(SIGTERM, SIG_DFL);
}

/// 0 leaves the choice to Kokkos.
int shared_node_threads() {
  if (std::getenv("OMP_NUM_THREADS") != nullptr || std::getenv("KOKKOS_NUM_THREADS") != nullptr) return 0;
  MPI_Comm node = MPI_COMM_NULL;
  MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &node);
  int ranks_here = 1;
  MPI_Comm_size(node, &ranks_here);
  MPI_Comm_free(&node);
  cpu_set_t cores;
  CPU_ZERO(&cores);
  if (ranks_here == 1 || sched_getaffinity(0, sizeof cores, &cores) != 0) return 0;
  const int available = CPU_COUNT(&cores);
  const bool bound = available < static_cast<int>(std::thread::hardware_concurrency());
  return bound ? 0 : std::max(1, available / ranks_here);
}

struct RankOnNode {
  cpu_set_t cores;  // that the system lets it run on
  int threads;
};

bool within(const cpu_set_t& inner, const cpu_set_t& outer) {
  cpu_set_t both;
  CPU_AND(&both, &inner, &outer);
  return CPU_EQUAL(&both, &inner) != 0;
}

/// The set of cores with most threads for each: of all ranks of the node whose cores lie within one rank's, or within all of
/// theirs. Empty where every thread can have a core of its own (Hall's condition, exact for sets that are nested or disjoint).
struct Crowd {
  double threads_per_core = 1.0;
  std::string text;
};

Crowd crowd_of(const std::vector<RankOnNode>& ranks) {
  std::vector<cpu_set_t> sets(1);
  CPU_ZERO(&sets[0]);
  for (const RankOnNode& rank : ranks) {
    CPU_OR(&sets[0], &sets[0], &rank.cores);
    sets.push_back(rank.cores);
  }
  Crowd worst;
  for (const cpu_set_t& set : sets) {
    int threads = 0;
    int count = 0;
    for (const RankOnNode& rank : ranks) {
      if (!within(rank.cores, set)) continue;
      threads += rank.threads;
      ++count;
    }
    const int cores = CPU_COUNT(&set);
    if (cores == 0 || threads <= worst.threads_per_core * cores) continue;
    worst = {static_cast<double>(threads) / cores, std::to_string(threads) + " threads of " + std::to_string(count) +
                                                       (count == 1 ? " rank" : " ranks") + " share " +
                                                       std::to_string(cores) + (cores == 1 ? " core" : " cores")};
  }
  return worst;
}

/// Of the node where it is worst. Collective.
std::string crowded_node() {
  MPI_Comm node = MPI_COMM_NULL;
  MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &node);
  int size = 1;
  MPI_Comm_size(node, &size);
  RankOnNode mine{};
  CPU_ZERO(&mine.cores);
  if (sched_getaffinity(0, sizeof mine.cores, &mine.cores) != 0) CPU_ZERO(&mine.cores);
  mine.threads = Kokkos::DefaultHostExecutionSpace{}.concurrency();
  std::vector<RankOnNode> ranks(size);
  MPI_Allgather(&mine, sizeof mine, MPI_BYTE, ranks.data(), sizeof mine, MPI_BYTE, node);
  MPI_Comm_free(&node);
  Crowd crowd = crowd_of(ranks);
  struct {
    double value;
    int rank;
  } worst{crowd.threads_per_core, Communicator::world().rank()};
  MPI_Allreduce(MPI_IN_PLACE, &worst, 1, MPI_DOUBLE_INT, MPI_MAXLOC, MPI_COMM_WORLD);
  if (!crowd.text.empty()) {
    char name[MPI_MAX_PROCESSOR_NAME];
    int length = 0;
    MPI_Get_processor_name(name, &length);
    crowd.text = std::string(name, length) + " (" + crowd.text + ")";
  }
  Communicator::world().broadcast(crowd.text, worst.rank);
  return crowd.text;
}

void warn_of_binding(const Program& program, int rank) {
  const std::string crowd = crowded_node();
  if (rank != 0 || crowd.empty()) return;
  std::fprintf(stderr, "warning: %s on %s [bind each rank to cores of its own, as many as it has threads: %s]\n",
               program.name.c_str(), crowd.c_str(),
               "srun -c THREADS --cpu-bind=cores, mpirun --map-by slot:PE=THREADS; set OMP_NUM_THREADS=THREADS");
}

/// True when every rank arrives within `time`.
bool all_ranks_arrive(std::chrono::seconds time) {
  MPI_Request request = MPI_REQUEST_NULL;
  MPI_Ibarrier(MPI_COMM_WORLD, &request);
  const auto deadline = std::chrono::steady_clock::now() + time;
  int done = 0;
  while (done == 0 && std::chrono::steady_clock::now() < deadline) {
    MPI_Test(&request, &done, MPI_STATUS_IGNORE);
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return done != 0;
}

/// An error of all ranks, or of this one alone, which ends the others.
int report_input_error(const Program& program, int rank, const char* what, std::chrono::seconds time = patience) {
  const int code = static_cast<int>(ExitCode::bad_input);
  const bool together = all_ranks_arrive(time);
  if (rank == 0 || !together) std::fprintf(stderr, "%s: %s\n", program.name.c_str(), what);
  std::fflush(stderr);
  if (!together) MPI_Abort(MPI_COMM_WORLD, code);
  return code;
}

int run(int argc, char** argv, const Program& program) {
  const Communicator world = Communicator::world();
  try {
    const Options options =
        Options::parse(world, program.keys, argc, argv, program.restart ? &*program.restart : nullptr);
    std::string text;
    if (options.action() == Options::Action::help)
      text = Options::help(program.name, program.about, program.keys, program.restart.has_value());
    if (options.action() == Options::Action::version) text = version_text() + "\n";
    if (options.action() == Options::Action::dump_config) text = options.dump();
    if (text.empty()) {
      if (options.action() != Options::Action::dry_run) warn_of_binding(program, world.rank());
      return static_cast<int>(program.body(world, options));
    }
    if (world.rank() == 0) std::fputs(text.c_str(), stdout);
    return static_cast<int>(ExitCode::done);
  } catch (const InputError& error) {
    return report_input_error(program, world.rank(), error.what());
  } catch (const std::exception& error) {
    if (!is_out_of_memory(error)) throw;
    return report_input_error(program, world.rank(), out_of_memory_text(world.rank()).c_str(), little_patience);
  }
}

}  // namespace

Session::Session(int& argc, char**& argv) {
  session_start = std::chrono::steady_clock::now();
  int provided = 0;
  MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &provided);
  Kokkos::InitializationSettings settings;
#ifdef NDEBUG
  settings.set_disable_warnings(true);
#endif
  const int threads = shared_node_threads();
  if (threads > 0) {
    settings.set_num_threads(threads);
#ifdef KOKKOS_ENABLE_OPENMP
    omp_set_num_threads(
        threads);  // Kokkos begins with a region of OpenMP's own number, whose threads then spin for cores
#endif
  }
  Kokkos::initialize(settings);
  begin_memory_count();
}

Session::~Session() {
  Kokkos::finalize();
  MPI_Finalize();
}

int run_main(int argc, char** argv, const Program& program) {
  const Session session(argc, argv);
  try {
    return run(argc, argv, program);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: rank %d: internal error: %s\n", program.name.c_str(), Communicator::world().rank(),
                 error.what());
  }
  std::fflush(nullptr);
  MPI_Abort(MPI_COMM_WORLD, static_cast<int>(ExitCode::internal_error));
  return static_cast<int>(ExitCode::internal_error);
}

void catch_stop_signals() {
  struct sigaction action {};
  action.sa_handler = remember_stop;
  action.sa_flags = SA_RESTART;
  for (const int signal : {SIGTERM, SIGUSR1}) sigaction(signal, &action, nullptr);
}

bool stop_requested() { return stop_signal != 0; }

double seconds_since_start() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - session_start).count();
}

int threads_per_rank() { return ExecutionSpace{}.concurrency(); }

std::string version_text() {
  char mpi[MPI_MAX_LIBRARY_VERSION_STRING];
  int length = 0;
  MPI_Get_library_version(mpi, &length);
  const std::string mpi_text(mpi, length);
  return std::string("hpot ") + HPOT_VERSION + " (git " + HPOT_GIT_HASH + "), Kokkos " +
         std::to_string(KOKKOS_VERSION_MAJOR) + "." + std::to_string(KOKKOS_VERSION_MINOR) + "." +
         std::to_string(KOKKOS_VERSION_PATCH) + " (" + ExecutionSpace::name() + "), " +
         mpi_text.substr(0, mpi_text.find_first_of(",\n")) + ", HDF5 " + HPOT_HDF5_VERSION;
}

}  // namespace hpot
