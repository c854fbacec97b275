#include "hpot/io/gradient_file.hpp"

#include "hpot/core/field.hpp"

namespace hpot {
namespace {

/// (axes, points) of the owned rows as [point][axis] of all, on rank 0.
std::vector<Real> gathered_points(const OwnedRows& rows, const Field& components) {
  const auto axes = static_cast<Index>(components.extent(0));
  std::vector<Real> points;
  for (Index d = 0; d < axes; ++d) {
    const auto component = Kokkos::subview(components, std::make_pair(d, d + 1), Kokkos::ALL);
    const std::vector<Real> one = gather_points(rows, component);
    if (d == 0) points.resize(one.size() * axes);
    for (std::size_t i = 0; i < one.size(); ++i) points[i * axes + d] = one[i];
  }
  return points;
}

}  // namespace

void write_gradient(const Communicator& world, const std::string& group, Hdf5Writer* file, const KernelOptions& kernel,
                    const std::vector<Support>& supports, const TransportProblem& problem, const ConstField& f,
                    const ConstField& g) {
  const std::string name = group + "/gradient";
  const auto write = [&](const Support& support, const std::string& dataset, const OwnedRows& rows,
                         const Field& local) {
    std::vector<Real> values = gathered_points(rows, local);
    const auto width = static_cast<Index>(local.extent(0));
    world.agree([&] {
      if (world.rank() != 0) return;
      std::vector<Index> shape = data_shape(support);
      if (dataset.ends_with("positions")) shape.push_back(width);
      file->dataset(dataset, {shape, in_input_order(support, std::move(values), width)});
    });
  };
  const bool free_constant = is_balanced(problem.source.penalty) && is_balanced(problem.target.penalty);
  {
    const WeightGradient weights = weight_gradient(problem, f, g);
    write(supports[0], name + "/source/weights", problem.source.rows, weights.source);
    write(supports[1], name + "/target/weights", problem.target.rows, weights.target);
  }
  if (supports[0].cloud() != nullptr) {
    for (const Side side : {Side::source, Side::target}) {
      const bool source = side == Side::source;
      write(supports[source ? 0 : 1], name + (source ? "/source/positions" : "/target/positions"),
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
