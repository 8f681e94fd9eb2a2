// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include <assent/inbox.hpp>

#include <algorithm>
#include <mutex>
#include <set>
#include <utility>

#include <assent/driver.hpp>

#include "adapters/dialects/subject.hpp"
#include "adapters/messages/looked_at.hpp"
#include "ports/numbering.hpp"

namespace assent {
inline namespace v0 {
namespace message {

namespace {

bool is_position(std::string const& text) noexcept
{
    return text.size() == position_size &&
           std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::string lane_of(place const& at)
{
    return "lane " + std::to_string(at.lane) + " of \"" + at.to + "\" from " + at.source;
}

/// What nobody else's name can be: none of its parts has a blank.
std::string row_name(std::string const& consumer, place const& at)
{
    return consumer + ' ' + at.source + ' ' +
           ports::lane_name(at.to, static_cast<std::uint8_t>(at.lane));
}

void require_place(place const& at)
{
    bool const is_good = is_good_name(at.to) && at.lane < lanes &&
                         at.source.size() == source_size && is_good_name(at.source) &&
                         is_position(at.position);
    if (is_good) return;
    throw driver_error(errc::bad_argument, "this is no place of a message: " + lane_of(at) +
                                               ", position \"" + at.position + '"');
}

[[noreturn]] void refuse(place const& at, std::string const& last)
{
    auto const lane = lane_of(at);
    auto const message = ": the message at " + at.position + " follows " + at.previous;
    if (last.empty()) {
        throw gap_error(lane + message +
                            ", and nothing was received here before: attach() says "
                            "from where this consumer goes on",
                        at, last);
    }
    if (at.previous > last) {
        throw gap_error(lane + message + ", and the last one that came is at " + last +
                            ": one between them is missing",
                        at, last);
    }
    throw fork_error(lane + message + ", and the last one that came is at " + last +
                         ": the sender was restored from a backup; attach() says from where this "
                         "consumer goes on",
                     at, last);
}

}  // namespace

lane_error::lane_error(std::string const& what, place its, std::string last)
    : error(errc::invalid_state, what, gtrid{}), at_(std::move(its)), last_(std::move(last))
{
}

lane_error::~lane_error() = default;
gap_error::~gap_error() = default;
fork_error::~fork_error() = default;

struct inbox::impl
{
    impl(transaction_manager& by, resource_manager const& where, std::string name)
        : tm(by), consumer(std::move(name)), home(where)
    {
        if (where.driver()->inboxes() == nullptr) {
            throw driver_error(errc::bad_argument,
                               dialects::subject(where.name()) + "it can hold no inbox");
        }
        if (!is_good_name(consumer)) {
            throw driver_error(errc::bad_argument,
                               "an inbox has a consumer's name of 1 to 64 printable ASCII "
                               "characters, none of them a blank");
        }
    }

    /// @throws error  the message before this one has a branch that is not committed yet: its work
    ///                would not be seen.  Which branches are due is known, and not of whom.
    void require_finished(std::string const& lane)
    {
        std::lock_guard const held{mutex};
        if (pending.count(lane) == 0) return;
        for (auto const& each : tm.state().resource_managers) {
            if (each.branches_due == 0) continue;
            throw error{errc::unavailable,
                        "the message before it is committed, and not yet in \"" + each.name + '"',
                        gtrid{},
                        {},
                        true};
        }
        pending.erase(lane);
    }

    /// A transaction with `ask` done in its branch here.
    template <class Ask>
    transaction begin(Ask const& ask)
    {
        // All branches are waited for: what is left then is due.
        auto tx = tm.begin(begin_options{}
                               .isolation_level(isolation::read_committed)
                               .commit_return(commit_return::completed));
        tx.require_work(home.manager());
        home.require_fit(
            tx.id(), [](resource_manager_driver& driver, driver_session& manage, deadline until) {
                driver.inboxes()->ensure_inbox(manage, until);
            });
        try {
            tx.work_on(home.manager(), [&](driver_session& on, deadline until) {
                home.watching([&] { ask(*home.manager().driver()->inboxes(), on, until); });
            });
        } catch (error const& e) {
            if (e.why() == errc::rollback_only) tx.commit();  // says whether it may be run again
            throw;
        }
        return tx;
    }

    transaction_manager& tm;
    std::string const consumer;
    messages::looked_at home;
    std::mutex mutex;
    std::set<std::string> pending;  // lanes whose last commit was, by the names of their rows
};

inbox::inbox(transaction_manager& tm, resource_manager const& where, std::string consumer)
    : impl_(std::make_shared<impl>(tm, where, std::move(consumer)))
{
}

bool inbox::once(delivery const& what, std::function<void(transaction&)> const& work)
{
    require_place(what.at);
    if (!is_position(what.at.previous) || what.at.previous >= what.at.position) {
        throw driver_error(errc::bad_argument, "a message comes after the one before it");
    }
    auto const lane = row_name(impl_->consumer, what.at);
    impl_->require_finished(lane);
    inbox_finding found;
    auto tx = impl_->begin([&](inbox_table& table, driver_session& on, deadline until) {
        found = table.move_inbox(on, {lane, what.at.previous, what.at.position}, until);
    });
    if (!found.has_moved) {
        tx.rollback();
        if (!found.last.empty() && what.at.position <= found.last) return false;
        refuse(what.at, found.last);
    }
    work(tx);
    if (tx.commit() == outcome::committed_pending) {
        std::lock_guard const held{impl_->mutex};
        impl_->pending.insert(lane);
    }
    return true;
}

void inbox::attach(place const& at)
{
    require_place(at);
    auto tx = impl_->begin([&](inbox_table& table, driver_session& on, deadline until) {
        table.set_inbox(on, row_name(impl_->consumer, at), at.position, until);
    });
    tx.commit();
}

}  // namespace message
}  // namespace v0
}  // namespace assent
