// What a sweep sends, counted through MPI's profiling interface, is what scaling.hpp's formulas and the communicator say.
#include "hpot/kernel/registry.hpp"
#include "hpot/solver/scaling.hpp"

#include <gtest/gtest.h>
#include <mpi.h>

namespace {

struct Counted {
  hpot::Index calls = 0;
  hpot::Index bytes = 0;
  hpot::Index others = 0;  // calls that no sweep may make
} counted;

bool alone(MPI_Comm comm) {
  int ranks = 1;
  PMPI_Comm_size(comm, &ranks);
  return ranks == 1;
}

void count(MPI_Comm comm, int values, MPI_Datatype type) {
  int size = 0;
  PMPI_Type_size(type, &size);
  if (alone(comm)) return;
  ++counted.calls;
  counted.bytes += static_cast<hpot::Index>(values) * size;
}

}  // namespace

extern "C" {
int MPI_Allreduce(const void* in, void* out, int n, MPI_Datatype type, MPI_Op op, MPI_Comm comm) {
  count(comm, n, type);
  return PMPI_Allreduce(in, out, n, type, op, comm);
}
int MPI_Allgatherv(const void* in, int n, MPI_Datatype type, void* out, const int* counts, const int* starts,
                   MPI_Datatype out_type, MPI_Comm comm) {
  count(comm, n, type);
  return PMPI_Allgatherv(in, n, type, out, counts, starts, out_type, comm);
}
int MPI_Ialltoallv(const void* in, const int* counts, const int* starts, MPI_Datatype type, void* out,
                   const int* out_counts, const int* out_starts, MPI_Datatype out_type, MPI_Comm comm,
                   MPI_Request* request) {
  int ranks = 1, values = 0;
  PMPI_Comm_size(comm, &ranks);
  for (int r = 0; r < ranks; ++r) values += counts[r];
  count(comm, values, type);
  return PMPI_Ialltoallv(in, counts, starts, type, out, out_counts, out_starts, out_type, comm, request);
}
int MPI_Bcast(void* data, int n, MPI_Datatype type, int root, MPI_Comm comm) {
  ++counted.others;
  return PMPI_Bcast(data, n, type, root, comm);
}
int MPI_Send(const void* data, int n, MPI_Datatype type, int to, int tag, MPI_Comm comm) {
  ++counted.others;
  return PMPI_Send(data, n, type, to, tag, comm);
}
int MPI_Barrier(MPI_Comm comm) {
  ++counted.others;
  return PMPI_Barrier(comm);
}
int MPI_Gatherv(const void* in, int n, MPI_Datatype type, void* out, const int* counts, const int* starts,
                MPI_Datatype out_type, int root, MPI_Comm comm) {
  ++counted.others;
  return PMPI_Gatherv(in, n, type, out, counts, starts, out_type, root, comm);
}
}

namespace hpot {
namespace {

constexpr Index number = sizeof(Real);

/// There and back, of one softmin: a slab of `rows`, and the whole lines of this rank, dealt out in tiles of eight.
Index transposed_bytes(const OwnedRows& rows, Index planes) {
  const Index lines = rows.partition.global_n() / planes;
  const OwnedRows dealt{Partition(lines, 8, rows.along_rows.size()), rows.along_rows};
  return number * (rows.local_n() + planes * dealt.local_n());
}

/// The second sweep of a case, against `calls` and `bytes`.
void expect_traffic(const ProcessGrid& processes, const ScalingOptions& options, Index calls, Index bytes) {
  const ScalingCase made = make_scaling_case(processes, options);
  made.sweep();
  const Counted before = counted;
  const Traffic said = Communicator::traffic();
  made.sweep();
  EXPECT_EQ(counted.calls - before.calls, calls) << options.op;
  EXPECT_EQ(counted.bytes - before.bytes, bytes) << options.op;
  EXPECT_EQ(counted.others - before.others, 0) << options.op;
  EXPECT_EQ(Communicator::traffic().calls - said.calls, calls) << options.op;
  EXPECT_EQ(Communicator::traffic().bytes - said.bytes, bytes) << options.op;
}

TEST(Traffic, OfATransportsSweepIsTheFormulas) {
  const Communicator world = Communicator::world();
  const ProcessGrid processes(world, {world.size(), 1});
  const bool alone = world.size() == 1;
  for (const char* const op : {"separable", "dense", "stored", "truncated", "matrix", "heat", "geodesic"}) {
    for (const int dimension : {2, 3}) {
      ScalingOptions options;
      options.op = op;
      options.dimension = dimension;
      options.n = options.op == "separable" ? 18 : 300;
      const Index n = options.op == "separable" ? (dimension == 2 ? 18 * 18 : 18 * 18 * 18)
                      : options.on_surface()    ? 642
                                                : 300;
      // tiles: eight rows of an image, a plane of a volume, 64 points
      const Index tile = options.op == "separable" ? (dimension == 2 ? 8 * 18 : 18 * 18) : 64;
      const OwnedRows rows{Partition(n, tile, world.size()), world};
      const Index residual = number * ((n + tile - 1) / tile);
      Index potentials = 2 * number * rows.local_n(), calls = 3;  // truncated, heat
      if (options.op == "separable") {
        potentials = 2 * transposed_bytes(rows, 18);
        calls = 5;
      } else if (options.op != "truncated" && options.op != "heat") {  // one visit to all pairs
        potentials += number * (n + 2);
        calls = 4;
      }
      expect_traffic(processes, options, alone ? 0 : calls, alone ? 0 : potentials + residual);
    }
  }
}

TEST(Traffic, OfABarycentersSweepIsTheFormulas) {
  const Communicator world = Communicator::world();
  const Index side = 12, points = side * side * side, measures = 5;
  for (int batches = 1; batches <= world.size(); ++batches) {
    if (world.size() % batches != 0) continue;
    const ProcessGrid processes(world, {world.size() / batches, batches});
    const Index owned = Partition(measures, 1, batches).block(processes.along_batches().rank()).size();
    const OwnedRows rows{Partition(points, side * side, processes.shape().rows), processes.along_rows()};
    for (const bool debiased : {false, true}) {
      ScalingOptions options;
      options.op = "barycenter";
      options.n = side;
      options.measures = measures;
      options.debiased = debiased;
      const Index extra = debiased ? 1 : 0;
      Index calls = 0, bytes = 0;
      if (processes.shape().rows > 1) {
        const Index softmins = 2 * owned + extra;
        calls += 2 * softmins + 1 + extra;
        bytes += softmins * transposed_bytes(rows, side) + (owned + extra) * number * side;
      }
      if (batches > 1) {
        calls += 2;
        bytes += number * rows.local_n() + number;
      }
      expect_traffic(processes, options, calls, bytes);
    }
  }
}

TEST(Traffic, OfAGradientOfCoordinatesIsTheFormulas) {
  const Communicator world = Communicator::world();
  const Index side = 12, points = side * (side + 1) * (side - 1), measures = 5;
  for (int batches = 1; batches <= world.size(); ++batches) {
    if (world.size() % batches != 0) continue;
    const ProcessGrid processes(world, {world.size() / batches, batches});
    const Index owned = Partition(measures, 1, batches).block(processes.along_batches().rank()).size();
    const OwnedRows rows{Partition(points, points / side, processes.shape().rows), processes.along_rows()};
    for (const auto& [sweeps, held] : {std::pair<Index, Index>{1, 0}, {4, 0}, {6, 3}}) {
      for (const Index extra : {0, 1}) {
        ScalingOptions options;
        options.op = "coordinates";
        options.sides = {side, side + 1, side - 1};
        options.measures = measures;
        options.sweeps = sweeps;
        options.held = held;
        const Index made = options.sweeps_made();
        EXPECT_EQ(made > sweeps, held > 0);
        options.debiased = extra == 1;
        Index calls = 0, bytes = 0;
        if (processes.shape().rows > 1) {
          const Index back = (5 * owned + 4 * extra) * (sweeps - 1) + (sweeps > 1 ? owned : 0);
          const Index softmins = (2 * owned + extra) * made + back;
          calls += 2 * softmins + 3 * made + sweeps + 2;
          bytes +=
              softmins * transposed_bytes(rows, side) + number * side * (made + 2 + owned * sweeps) + 2 * number * made;
        }
        if (batches > 1) {
          calls += 2 * made + sweeps;
          bytes += number * rows.local_n() * (made + sweeps - 1) + number * made + number * measures;
        }
        expect_traffic(processes, options, calls, bytes);
      }
    }
  }
}

}  // namespace
}  // namespace hpot
