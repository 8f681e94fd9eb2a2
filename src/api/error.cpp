// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include <assent/error.hpp>

#include <assent/observer.hpp>

#include <array>
#include <cstddef>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "protocol/assert.hpp"

namespace assent {
inline namespace v0 {

namespace {

class category final : public std::error_category
{
public:
    char const* name() const noexcept override { return "assent"; }

    std::string message(int value) const override
    {
        switch (static_cast<errc>(value)) {
            case errc::rolled_back:
                return "rolled back: nothing happened anywhere";
            case errc::heuristic:
                return "heuristic outcome: databases may differ";
            case errc::in_doubt:
                return "in doubt: not known yet";
            case errc::rollback_only:
                return "the transaction can only be rolled back";
            case errc::invalid_state:
                return "not allowed in this state";
            case errc::lease_ended:
                return "the lease ended with its transaction";
            case errc::unavailable:
                return "the resource manager does not serve";
            case errc::bad_argument:
                return "bad argument";
            case errc::log_unusable:
                return "the decision log cannot be used";
            case errc::closed:
                return "the transaction manager was closed";
            case errc::forked:
                return "a forked child has no part in its parent's transactions";
            case errc::twin:
                return "a copy of this log is, or was, at work";
            case errc::log_full:
                return "the decision log has no room now";
            case errc::exhausted:
                return "every session of the pool is leased";
            case errc::no_thread:
                return "the system refused a thread";
            case errc::wrong_thread:
                return "a branch of this transaction belongs to another thread";
            case errc::outside:
                return "this thread is at work outside of any transaction";
        }
        return "unknown error";
    }
};

}  // namespace

std::error_category const& assent_category() noexcept
{
    static category const only;
    return only;
}

std::error_code make_error_code(errc code) noexcept
{
    return {static_cast<int>(code), assent_category()};
}

namespace {

constexpr std::size_t codes = static_cast<std::size_t>(errc::outside) + 1;  // the last one

using prototypes = std::array<std::system_error, codes>;

template <std::size_t... Value>
prototypes const* make_prototypes(std::index_sequence<Value...>)
{
    return new prototypes{std::system_error{static_cast<int>(Value), assent_category()}...};
}

/// std::system_error composes words of its own when it is made, and needs memory for them; a copy
/// of one needs none.  An outcome must be told without memory, too, so there is one to copy for
/// each code.  Never destroyed: an error may be thrown during static destruction.
std::system_error const& prototype(errc why)
{
    static auto const* const all = make_prototypes(std::make_index_sequence<codes>{});
    auto const value = static_cast<std::size_t>(why);
    ASSENT_ASSERT(value < codes);
    return (*all)[value];
}

// Made when the program is loaded, while there is memory.
[[maybe_unused]] auto const& made_early = prototype(errc::rolled_back);

}  // namespace

error::error(errc code, std::string const& what, gtrid const& id,
             std::vector<branch_report> branches, bool is_retryable)
    : std::system_error(prototype(code)),
      words_(what),
      id_(id),
      branches_(std::move(branches)),
      is_retryable_(is_retryable)
{
}

error::~error() = default;

char const* error::what() const noexcept
{
    return words_.what();
}

rolled_back_error::rolled_back_error(std::string const& what, gtrid const& id,
                                     std::vector<branch_report> branches, bool is_retryable)
    : error(errc::rolled_back, what, id, std::move(branches), is_retryable)
{
}

rolled_back_error::~rolled_back_error() = default;

heuristic_error::heuristic_error(std::string const& what, gtrid const& id,
                                 std::vector<branch_report> branches)
    : error(errc::heuristic, what, id, std::move(branches))
{
}

heuristic_error::~heuristic_error() = default;

in_doubt_error::in_doubt_error(std::string const& what, gtrid const& id,
                               std::vector<branch_report> branches, resolver resolved_by)
    : error(errc::in_doubt, what, id, std::move(branches)), who_(resolved_by)
{
}

in_doubt_error::~in_doubt_error() = default;

driver_error::driver_error(errc code, std::string const& what, std::string sqlstate,
                           int native_code, bool must_close)
    : error(code, what),
      sqlstate_(std::move(sqlstate)),
      native_code_(native_code),
      must_close_(must_close)
{
}

driver_error::driver_error(std::string const& what, std::string sqlstate, int native_code,
                           bool must_close)
    : driver_error(errc::unavailable, what, std::move(sqlstate), native_code, must_close)
{
}

driver_error::~driver_error() = default;

retry_requested::retry_requested(std::string const& why)
    : why_(std::make_shared<std::string const>(why))
{
}

retry_requested::~retry_requested() = default;

char const* retry_requested::what() const noexcept
{
    return why_ ? why_->c_str() : "the work asked to be run again";
}

observer::~observer() = default;

bool is_retryable_sqlstate(std::string_view sqlstate) noexcept
{
    constexpr std::array others{
        std::string_view{"55P03"},  // lock not available
        std::string_view{"XA102"},  // XA_RBDEADLOCK
        std::string_view{"XA106"},  // XA_RBTIMEOUT
        std::string_view{"XA107"},  // XA_RBTRANSIENT
    };
    if (sqlstate.size() != 5) return false;
    if (sqlstate.substr(0, 2) == "40") return sqlstate != "40002";  // integrity: stays wrong
    for (auto const other : others) {
        if (sqlstate == other) return true;
    }
    return false;
}

}  // namespace v0
}  // namespace assent
