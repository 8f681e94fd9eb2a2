// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// error.hpp -- errors, by what the caller does next.
//
//   rolled_back_error   nothing happened anywhere; run it again if is_retryable()
//   heuristic_error     data may differ between databases; page a human.  Never run it again.
//   in_doubt_error      not known yet; resolved_by() says who will know.  Never run it again.
//   driver_error        a database, or an adapter, does not allow the call; has the server's codes
//   error               a call that could not be carried out; the base of all of these
//
// Each is a std::system_error: code() is a std::error_code, which compares with an errc
// (e.code() == errc::twin), and why() is the same code as an errc, for a switch.
// commit(std::error_code&, diagnostics&) reports the same without exceptions.

#ifndef ASSENT_ERROR_HPP
#define ASSENT_ERROR_HPP

#include <cstdint>
#include <exception>
#include <memory>
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

/// Why a call was not carried out, or how a transaction ended.  docs/reference/errors.md has the
/// cause of each, whether it is safe to retry, and what to do.
enum class errc : int {
    rolled_back = 1,    ///< safe to retry if is_retryable()
    heuristic = 2,      ///< not safe to retry
    in_doubt = 3,       ///< not safe to retry
    rollback_only = 4,  ///< the transaction can only be rolled back; what() has the cause
    invalid_state = 5,  ///< a call that the state of the object does not allow
    lease_ended = 6,    ///< a lease was used after its transaction's end
    unavailable = 7,    ///< a resource manager does not serve yet, or no longer
    bad_argument = 8,   ///< a name, option or handle that cannot be used; the same call fails again
    log_unusable = 9,   ///< the log failed, is locked, damaged, or of another node
    closed = 10,        ///< the manager was closed
    forked = 11,        ///< a forked child has no part in its parent's transactions
    twin = 12,          ///< a twin, which is a copy of this log, is or was at work
    log_full = 13,      ///< no room for another decision now: the disk is full, or too much is open
    exhausted = 14,     ///< every session of a pool was leased until the transaction's deadline
    no_thread = 15,     ///< the system refused a thread (a limit of the process, or of the user)
    wrong_thread = 16,  ///< a branch belongs to another thread (X/Open switches); nothing was sent
    outside = 17,       ///< this thread works at an X/Open switch outside of any transaction
};

/// The category of these codes; its name is "assent".
ASSENT_EXPORT std::error_category const& assent_category() noexcept;
/// Makes a std::error_code of an errc; std::error_code's constructor calls it, so that the two can
/// be compared.
ASSENT_EXPORT std::error_code make_error_code(errc code) noexcept;

/// Who will know the outcome of a transaction in doubt.
enum class resolver : std::uint8_t {
    recovery = 1,  ///< recovery: from the log, opened again, or as soon as a commit row is read
    database = 2,  ///< the database itself still knows
    nobody = 3,    ///< a one-phase commit whose reply was lost, on a server that cannot be asked
};

/// The base of everything that the library throws by itself.  code(), which std::system_error has,
/// is the reason, in assent_category().
class ASSENT_EXPORT error : public std::system_error
{
public:
    /// `id` is the null gtrid where the call belongs to no transaction.
    error(errc code, std::string const& what, gtrid const& id = {},
          std::vector<branch_report> branches = {}, bool is_retryable = false);
    ~error() override;

    /// The reason: the same as code(), but as an errc, for a switch.
    errc why() const noexcept { return static_cast<errc>(code().value()); }
    /// What happened, in words; the text of the code itself is not added.
    char const* what() const noexcept override;
    /// The transaction that the error belongs to; the null gtrid where there is none.
    gtrid const& id() const noexcept { return id_; }
    /// What each branch answered last; empty unless the transaction was being ended.
    std::vector<branch_report> const& branches() const noexcept { return branches_; }

    /// Whether the whole transaction may be run again: nothing of it can ever become permanent,
    /// every branch has confirmed that, and the cause is one that may pass.
    bool is_retryable() const noexcept { return is_retryable_; }

private:
    std::runtime_error words_;  // shared by copies, which therefore need no memory
    gtrid id_;
    std::vector<branch_report> branches_;
    bool is_retryable_;
};

/// Nothing happened anywhere, ever.  The whole transaction may be run again; is_retryable() says
/// whether that is likely to help at once.
class ASSENT_EXPORT rolled_back_error : public error
{
public:
    /// With errc::rolled_back.
    rolled_back_error(std::string const& what, gtrid const& id, std::vector<branch_report> branches,
                      bool is_retryable);
    ~rolled_back_error() override;
};

/// A branch was ended against the decision, or may have been, or the application ended it behind
/// the manager's back.  Not safe to retry: a person must compare the databases.
class ASSENT_EXPORT heuristic_error : public error
{
public:
    /// With errc::heuristic.
    heuristic_error(std::string const& what, gtrid const& id, std::vector<branch_report> branches);
    ~heuristic_error() override;
};

/// It is not known whether the transaction is committed or rolled back.  Not safe to retry: the
/// work may be done already, or may be done later.
class ASSENT_EXPORT in_doubt_error : public error
{
public:
    /// With errc::in_doubt.
    in_doubt_error(std::string const& what, gtrid const& id, std::vector<branch_report> branches,
                   resolver resolved_by);
    ~in_doubt_error() override;

    /// Who will know the outcome.
    resolver resolved_by() const noexcept { return who_; }

private:
    resolver who_;
};

/// A database, or the adapter that speaks to it, does not allow what was asked; what() says what to
/// do about it.  Constructors of resource managers throw it, and adapters do.  When a driver throws
/// it in lease() or enlist(), the caller gets an error of the transaction, with the same what().
class ASSENT_EXPORT driver_error : public error
{
public:
    /// `must_close` is true when bytes were sent on a borrowed connection: its state is therefore
    /// unknown, and its owner must close it.
    driver_error(errc code, std::string const& what, std::string sqlstate = {}, int native_code = 0,
                 bool must_close = false);
    /// With errc::unavailable: the database refused, or did not answer.
    explicit driver_error(std::string const& what, std::string sqlstate = {}, int native_code = 0,
                          bool must_close = false);
    ~driver_error() override;

    /// The server's SQLSTATE; empty where it gave none.
    std::string const& sqlstate() const noexcept { return sqlstate_; }
    /// The server's own number; 0 where it gave none.
    int native_code() const noexcept { return native_code_; }
    /// Whether the owner of a borrowed connection must close it.
    bool must_close() const noexcept { return must_close_; }

private:
    std::string sqlstate_;
    int native_code_;
    bool must_close_;
};

/// Thrown by the user's own code inside transaction_manager::run(), to say that the cause of its
/// failure may pass: the work is then rolled back and run again.
class ASSENT_EXPORT retry_requested : public std::exception
{
public:
    retry_requested() noexcept = default;
    /// `why` is what the cause said, for whoever gets the exception after the last attempt: the
    /// server's code and its words.  No statement and no data of the application: it may be logged.
    explicit retry_requested(std::string const& why);
    ~retry_requested() override;
    /// What was given, or a fixed text.
    char const* what() const noexcept override;

private:
    std::shared_ptr<std::string const> why_;  // null: none was given; copies need no memory
};

/// The details of a commit() or rollback() that did not throw.
struct diagnostics
{
    std::string what;                     ///< as error::what()
    gtrid id;                             ///< as error::id()
    std::vector<branch_report> branches;  ///< as error::branches()
    bool is_retryable = false;            ///< as error::is_retryable()
    resolver who = resolver::recovery;    ///< meaningful with errc::in_doubt
};

/// Whether an SQLSTATE says that the same work may succeed when it is run again: serialization
/// failures and deadlocks (class 40, except 40002), lock timeouts (55P03), XA102, XA106, XA107.
ASSENT_EXPORT bool is_retryable_sqlstate(std::string_view sqlstate) noexcept;

}  // namespace v0
}  // namespace assent

template <>
struct std::is_error_code_enum<assent::errc> : std::true_type
{
};

#endif  // ASSENT_ERROR_HPP
