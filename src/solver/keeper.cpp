#include "hpot/solver/keeper.hpp"

namespace hpot {

void Keeper::once(const std::function<bool()>& work, const Visit&) { work(); }
bool Keeper::resume(const Visit&) { return false; }
void Keeper::keep(const Visit&) {}

}  // namespace hpot
