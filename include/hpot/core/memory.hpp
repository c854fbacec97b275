// Memory of this process: what it has held at most, as the system counts it (VmHWM of /proc/self/status), and sizes as
// people write them. Local. Where the system does not tell, numbers are 0.
#pragma once

#include "hpot/core/options.hpp"
#include "hpot/core/types.hpp"

#include <optional>

namespace hpot {

/// Growth is counted from here: a Session calls it when MPI and Kokkos are up. Large arrays go back to the system when they
/// are freed, so that what is freed does not count on.
void begin_memory_count();

/// Bytes held at most until begin_memory_count().
Index memory_at_start();
/// Bytes by which that has grown since.
Index memory_growth();

/// "1.5 GiB".
std::string bytes_text(Real bytes);

struct ResourceOptions {
  std::optional<Real> memory_limit;  // bytes that a rank may hold, its program included

  static std::vector<OptionKey> keys();
  static ResourceOptions from(const Options& options);
};

}  // namespace hpot
