// The life of a program: MPI and Kokkos up, options parsed, body run, errors reported once, MPI and Kokkos down.
#pragma once

#include "hpot/core/communicator.hpp"
#include "hpot/core/error.hpp"
#include "hpot/core/options.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace hpot {

/// MPI and Kokkos for as long as it lives. When OMP_NUM_THREADS is not set, ranks that are not bound to cores of their
/// own share the node's cores evenly.
class Session {
 public:
  Session(int& argc, char**& argv);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
};

struct Program {
  std::string name;
  std::string about;  // for --help
  std::vector<OptionKey> keys;
  std::function<ExitCode(const Communicator& world, const Options& options)> body;
  std::optional<RestartSource> restart = std::nullopt;  // --restart, for programs that keep checkpoints
};

/// main() of every HPOT program. InputError: rank 0 prints it, all exit 2; should it have been thrown on some ranks only,
/// the job is aborted with the same message after a few seconds rather than left hanging; likewise where memory runs out.
/// Anything else: abort with 1. Where the threads of a node's ranks are more than the cores that they may run on, all of them
/// or within one rank's cores, rank 0 warns once, before the work.
int run_main(int argc, char** argv, const Program& program);

/// From now on the first SIGTERM and any SIGUSR1 only set what stop_requested() returns; a second SIGTERM ends the program.
/// Local.
void catch_stop_signals();
[[nodiscard]] bool stop_requested();

/// Since the Session began. Local.
[[nodiscard]] double seconds_since_start();

/// Threads that Kokkos runs on, per rank. Local.
int threads_per_rank();

/// "hpot 0.1.0 (git abc1234), Kokkos 5.2.2 (OpenMP), Open MPI 4.1.4, HDF5 1.10.8".
std::string version_text();

}  // namespace hpot
