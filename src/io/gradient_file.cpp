#include "hpot/io/gradient_file.hpp"

#include "hpot/core/field.hpp"

namespace hpot {
void write_gradient(const Communicator& world, const std::string& group, Hdf5Writer* file, const KernelOptions& kernel,
                    const std::vector<Support>& supports, const TransportProblem& problem, const ConstField& f,
                    const ConstField& g) {
  const std::string name = group + "/gradient";
  const bool free_constant = is_balanced(problem.source.penalty) && is_balanced(problem.target.penalty);
  {
    const WeightGradient weights = weight_gradient(problem, f, g);
    write_points(world, file, name + "/source/weights", supports[0], problem.source.rows, weights.source);
    write_points(world, file, name + "/target/weights", supports[1], problem.target.rows, weights.target);
  }
  if (supports[0].cloud() != nullptr) {
    for (const Side side : {Side::source, Side::target}) {
      const bool source = side == Side::source;
      write_vectors(world, file, name + (source ? "/source/positions" : "/target/positions"), supports[source ? 0 : 1],
                    source ? problem.source.rows : problem.target.rows,
                    place_gradient(problem, side, kernel, supports[0], supports[1], f, g));
    }
  }
  world.agree([&] {
    if (world.rank() != 0) return;
    file->attribute(name, "of",
                    "OT_eps(a, b) = min <P,C> + eps KL(P | a b') + penalties, a and b the weights as solved");
    file->attribute(name, "held_fixed", "epsilon and rho");
    if (free_constant)
      file->attribute(name, "constant",
                      "both weighted means are equal; any constant may move from one side to the other");
  });
}

}  // namespace hpot
