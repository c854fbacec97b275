// main() of every test: MPI, Kokkos, floating-point traps, and one voice (rank 0's, unless another rank fails).
#include "hpot/core/session.hpp"

#include <gtest/gtest.h>

#include <cfenv>

namespace {

/// Only failures of other ranks are printed; a rank that fails makes all fail.
class FailuresOnly : public testing::EmptyTestEventListener {
  void OnTestPartResult(const testing::TestPartResult& result) override {
    if (result.failed()) {
      std::fprintf(stderr, "rank %d: %s:%d: %s\n", hpot::Communicator::world().rank(), result.file_name(),
                   result.line_number(), result.message());
    }
  }
};

}  // namespace

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  const hpot::Session session(argc, argv);
  const hpot::Communicator world = hpot::Communicator::world();
  if (world.rank() != 0) {
    auto& listeners = testing::UnitTest::GetInstance()->listeners();
    delete listeners.Release(listeners.default_result_printer());
    listeners.Append(new FailuresOnly);
  }
  feenableexcept(FE_INVALID | FE_DIVBYZERO);
  const int failed = RUN_ALL_TESTS();
  return world.any(failed != 0) ? 1 : 0;
}
