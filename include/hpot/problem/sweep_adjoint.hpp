// The pointwise pieces of the derivative of barycenter sweeps (solver/barycenter_sweeps.hpp), of measures owned here and owned
// rows. Local, except what returns numbers: collective along rows.
#pragma once

#include "hpot/problem/barycenter_problem.hpp"

namespace hpot {

/// h = log q + (s + eps_s log_ratio)/eps: log q + f/eps for the f that a sweep at eps_s has left.
void add_log_potential(const Reference& q, const ConstField& s, const ConstField& log_ratio, Real eps_s, Real epsilon,
                       const Field& h);

/// y = -exp((g - t)/eps) mean, in place of mean.
void close_data_side(const ConstField& g, const ConstField& t, Real epsilon, const Field& mean);

/// phi = -exp((s_before + eps_before log_ratio - s)/eps - log_ratio) mean, in place of mean.
void close_map_side(const ConstField& s_before, const ConstField& log_ratio, Real eps_before, const ConstField& s,
                    Real epsilon, const Field& mean);

/// sum(0, i) = sum_k lambda_k z(k, i).
void sum_entries(const std::vector<Real>& lambda, const ConstField& z, const Field& sum);

/// z(k, i) -= lambda_k rho(0, i)/eps.
void subtract_shares(const std::vector<Real>& lambda, const ConstField& rho, Real epsilon, const Field& z);

/// h = log q + r + T/eps: log p + T/eps.
void add_self_transport(const Reference& q, const ConstField& log_ratio, const ConstField& transform, Real epsilon,
                        const Field& h);

/// delta = scale [(rho + delta/2) exp(r - r_before) - exp(D - U/eps - r_before) mean/2].
void close_log_d(const ConstField& rho, const ConstField& log_ratio, const ConstField& before, const ConstField& log_d,
                 const ConstField& u, Real epsilon, const ConstField& mean, Real scale, const Field& delta);

/// product = exp(log_p) v.
void times_map(const ConstField& log_p, const ConstField& v, const Field& product);

/// max over k of sum_i exp(log_p_i) |z(k, i)|. Collective along rows.
Real largest_mean_size(const OwnedRows& rows, const ConstField& log_p, const ConstField& z);

/// d_k = sum_i v_i b(k, i).
std::vector<Real> common_dots(const OwnedRows& rows, const ConstField& v, const ConstField& b);

}  // namespace hpot
