// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// error.hpp -- errors, by what the caller does next.
//
//   rolled_back_error   nothing happened anywhere; run it again if is_retryable()
//   heuristic_error     data may differ between databases; page a human.  Never run it again.
//   in_doubt_error      not known yet; resolved_by() says who will know.  Never run it again.
//   error               a call that could not be carried out; code() says why.
//
// commit(std::error_code&, diagnostics&) says the same without exceptions.

#ifndef ASSENT_ERROR_HPP
#define ASSENT_ERROR_HPP

#include <cstdint>
#include <exception>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <assent/export.hpp>
#include <assent/outcome.hpp>
#include <assent/xid.hpp>

namespace assent {
inline namespace v0 {

enum class errc : int {
    rolled_back = 1,    ///< safe to retry if is_retryable()
    heuristic = 2,      ///< not safe to retry
    in_doubt = 3,       ///< not safe to retry
    rollback_only = 4,  ///< the transaction can only be rolled back; what() has the cause
    invalid_state = 5,  ///< a call that the state of the object does not allow
    lease_ended = 6,    ///< a lease was used after its transaction's end
    unavailable = 7,    ///< a resource manager does not serve yet, or no longer
    bad_argument = 8,
    log_unusable = 9,  ///< the log failed, is locked, damaged, or of another node
    closed = 10,       ///< the manager was closed
    forked = 11,       ///< a forked child has no part in its parent's transactions
    twin = 12,         ///< a copy of this log is, or was, at work
    log_full = 13,     ///< no room for another decision now: the disk is full, or too much is open
    exhausted = 14,    ///< every session of a pool was leased until the transaction's deadline
};

ASSENT_EXPORT std::error_category const& assent_category() noexcept;
ASSENT_EXPORT std::error_code make_error_code(errc code) noexcept;

/// Who will know the outcome of a transaction in doubt.
enum class resolver : std::uint8_t {
    recovery = 1,  ///< recovery: by the log, opened again; by a commit row, as soon as it is read
    database = 2,  ///< the database itself still knows
    nobody = 3,    ///< a one-phase commit whose reply was lost, on a server that cannot be asked
};

/// The base of what managers and transactions throw; driver_error, of adapters, has another one.
class ASSENT_EXPORT error : public std::runtime_error
{
public:
    error(errc code, std::string const& what, gtrid const& id = {},
          std::vector<branch_report> branches = {}, bool is_retryable = false);
    ~error() override;

    errc code() const noexcept { return code_; }
    gtrid const& id() const noexcept { return id_; }
    std::vector<branch_report> const& branches() const noexcept { return branches_; }

    /// Whether the whole transaction may be run again: nothing of it can ever become permanent,
    /// every branch has confirmed that, and the cause is one that may pass.
    bool is_retryable() const noexcept { return is_retryable_; }

private:
    errc code_;
    gtrid id_;
    std::vector<branch_report> branches_;
    bool is_retryable_;
};

/// Nothing happened anywhere, ever.
class ASSENT_EXPORT rolled_back_error : public error
{
public:
    rolled_back_error(std::string const& what, gtrid const& id, std::vector<branch_report> branches,
                      bool is_retryable);
    ~rolled_back_error() override;
};

/// A branch went against the decision, or may have, or left it behind our back.
class ASSENT_EXPORT heuristic_error : public error
{
public:
    heuristic_error(std::string const& what, gtrid const& id, std::vector<branch_report> branches);
    ~heuristic_error() override;
};

/// Neither committed nor rolled back can be said.
class ASSENT_EXPORT in_doubt_error : public error
{
public:
    in_doubt_error(std::string const& what, gtrid const& id, std::vector<branch_report> branches,
                   resolver who);
    ~in_doubt_error() override;

    resolver resolved_by() const noexcept { return who_; }

private:
    resolver who_;
};

/// Thrown by the user's own code inside transaction_manager::run() to say that what it met may
/// pass, so that the work is rolled back and run again.
class ASSENT_EXPORT retry_requested : public std::exception
{
public:
    retry_requested() noexcept = default;
    ~retry_requested() override;
    char const* what() const noexcept override;
};

/// The details of a commit() or rollback() that did not throw.
struct diagnostics
{
    std::string what;
    gtrid id;
    std::vector<branch_report> branches;
    bool is_retryable = false;
    resolver who = resolver::recovery;  ///< meaningful with errc::in_doubt
};

/// Whether an SQLSTATE says that the same work may succeed when it is run again: serialization
/// failures and deadlocks (class 40 but 40002), lock timeouts (55P03), XA102, XA106, XA107.
ASSENT_EXPORT bool is_retryable_sqlstate(std::string_view sqlstate) noexcept;

}  // namespace v0
}  // namespace assent

template <>
struct std::is_error_code_enum<assent::errc> : std::true_type
{
};

#endif  // ASSENT_ERROR_HPP
