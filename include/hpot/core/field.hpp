// Small operations on fields that every layer uses. Local; fields of equal shape.
#pragma once

#include "hpot/core/reduction.hpp"

namespace hpot {

[[nodiscard]] Field make_field(const char* label, Index batch, Index points);
/// From host values (batch * points of them).
[[nodiscard]] Field make_field(const char* label, Index batch, const std::vector<Real>& values);
/// A field whose entries are yet to be set, by set_entry.
[[nodiscard]] Field make_unset_field(const char* label, Index batch, Index points);
/// field(k, :) <- `values`, as many as the field has points.
void set_entry(const Field& field, Index k, const std::vector<Real>& values);
[[nodiscard]] std::vector<Real> host_values(const ConstField& field);
[[nodiscard]] Field copy_of(const ConstField& field);
/// Batch entries begin, ..., begin + count - 1 of `field`, whose values they share.
[[nodiscard]] Field entries(const Field& field, Index begin, Index count);
/// x / y, entry by entry.
[[nodiscard]] Field quotient(const ConstField& x, Real y);

/// y = alpha x + beta y.
void combine(Real alpha, const ConstField& x, Real beta, const Field& y);
void add_constant(const Field& y, Real constant);
/// y <- min(max(y, -largest), largest).
void clamp(const Field& y, Real largest);

/// Zeros in single precision, one for each value of `like` in its order: two in every value of a field of one row, which is
/// copied and kept like any other. For differences, whose seventh digit does not matter.
[[nodiscard]] Field make_packed_field(const char* label, const Field& like);
[[nodiscard]] Index packed_values(const Field& like);
/// Momentum, with `e` = x - (the y of the step before), packed: e <- beta (y - x + e), y <- y + e.
void extrapolate(Real beta, const ConstField& x, const Field& e, const Field& y);
/// x <- x - e.
void subtract_packed(const Field& e, const Field& x);

/// For every y and then every batch entry k: sum_i w_ki x_ki y_ki; a weight of one row serves every batch entry. One
/// collective along rows.
std::vector<Real> entry_dots(const OwnedRows& rows, const ConstField& weight, const ConstField& x,
                             const std::vector<Field>& ys);
/// The same, summed over the batch.
std::vector<Real> weighted_dots(const OwnedRows& rows, const ConstField& weight, const ConstField& x,
                                const std::vector<Field>& ys);

}  // namespace hpot
