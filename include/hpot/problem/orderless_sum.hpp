// Sums of fields over many terms and all ranks of a group that do not depend on who owns which term: what a descent does with
// sums that differ in their last bit would differ in all bits after some steps.
//
// Here each value is kept as sum + rest, the rounding error of every addition in the rest [Knuth 1969, two-sum], twice the digits
// of a double. Over ranks the sums are cut at multiples of a quantum (barycenter_problem.hpp), which add up without rounding, and
// what is cut off joins the rests: one reduction. What is left to the order of terms is some 2^-100 of the largest value (2^-85 where all are below 1e-6) and
// is lost when sum + rest are rounded to a double, but for one value in some 2^40.
#pragma once

#include "hpot/core/communicator.hpp"

namespace hpot {

class OrderlessSum {
 public:
  /// Holds two fields of this shape.
  OrderlessSum(Index batch, Index points);

  void clear();
  /// + x. Flops: 7 for each value; bytes: 40.
  void add(const ConstField& x);
  /// total = sum over all terms of all ranks; this rank's sum is spent. Collective.
  void total(const Communicator& along, const Field& total);

 private:
  Index batch_;
  Field parts_;  // sums, then rests
};

}  // namespace hpot
