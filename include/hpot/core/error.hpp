// Errors and exit codes (see CONTRIBUTING, 'Errors').
#pragma once

#include <stdexcept>
#include <string>

namespace hpot {

enum class ExitCode : int {
  done = 0,
  internal_error = 1,
  bad_input = 2,
  not_converged = 3,  // max_iterations or diverged
  interrupted = 4,    // time limit or signal
};

/// Something that the user can mend. Thrown on every rank of a job (Communicator::agree turns a failure that one rank
/// sees into one that all see); run_main prints it once and exits with ExitCode::bad_input.
class InputError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// `<file>: <key> = <value> (<why it is a problem>) [what to do]`; empty parts are left out. One line: control characters
/// become '?'.
std::string error_text(const std::string& file, const std::string& key, const std::string& value,
                       const std::string& why, const std::string& what_to_do);

/// std::bad_alloc, or what Kokkos throws in its place: since 5.2 a std::runtime_error.
bool is_out_of_memory(const std::exception& error);
std::string out_of_memory_text(int rank);

/// Throws InputError when `condition` does not hold. `where` is a file, `file: key = value`, or a part of the program.
inline void require(bool condition, const std::string& where, const std::string& why,
                    const std::string& what_to_do = {}) {
  if (!condition) throw InputError(error_text(where, {}, {}, why, what_to_do));
}

}  // namespace hpot
