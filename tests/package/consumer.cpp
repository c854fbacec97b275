// Deals points out over the ranks and counts them again.
#include <hpot/core/partition.hpp>
#include <hpot/core/session.hpp>

#include <cstdio>

int main(int argc, char** argv) {
  const hpot::Session session(argc, argv);
  const hpot::Communicator world = hpot::Communicator::world();
  const hpot::Partition partition(1000, 7, world.size());
  const auto own = static_cast<hpot::Real>(partition.block(world.rank()).size());
  const bool complete = world.sum(own) == 1000.0;
  if (world.rank() == 0) std::printf("%s: %d ranks\n", hpot::version_text().c_str(), world.size());
  return complete ? 0 : 1;
}
