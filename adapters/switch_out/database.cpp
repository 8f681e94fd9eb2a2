// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "adapters/switch_out/database.hpp"

#include <algorithm>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <utility>

#include "adapters/dialects/session_numbers.hpp"
#include "adapters/switch_out/process.hpp"
#include "ports/connecting.hpp"

namespace assent::switch_out {

database::database(driver_maker make, int rmid, std::string xa_info)
    : info_(std::move(xa_info)),
      given_(read_settings(info_)),
      driver_(make("rmid" + std::to_string(rmid), given_))
{
}

deadline database::connect_by() const
{
    return std::chrono::steady_clock::now() + std::min(given_.timeout, connect_at_most);
}

namespace {

dialects::any_branch_driver& any_of(resource_manager_driver& driver)
{
    auto* const any = dynamic_cast<dialects::any_branch_driver*>(&driver);
    if (any == nullptr) throw std::logic_error("a driver that takes only the manager's names");
    return *any;
}

held_session open_session(resource_manager_driver& to, session_purpose purpose, deadline until)
{
    held_session opened;
    opened.session = ports::connect(to, purpose, until, opened.in_child);
    return opened;
}

}  // namespace

std::shared_ptr<connection> database::connect()
{
    return std::make_shared<connection>(
        open_session(*driver_, session_purpose::work, connect_by()));
}

/// What a server says that turns out to be another one must change nothing for those that work.
std::shared_ptr<connection> database::open()
{
    auto const until = connect_by();
    auto const asking = open_session(*driver_, session_purpose::manage, until);
    auto const facts = any_of(*driver_).facts_of(*asking.session, until);
    auto const able = driver_->capabilities();
    if (!able.is_two_phase) {
        throw driver_error(errc::bad_argument,
                           driver_->name() + ": a " + facts.kind + " database cannot prepare");
    }
    {
        std::lock_guard const hold{process_lock()};
        if (identity_.empty()) {
            identity_ = facts.identity;
            history_ = facts.history;
            keeps_prepared_ = able.stays_attached_after_prepare;
        }
        if (identity_ != facts.identity) {
            throw driver_error(driver_->name() +
                               ": the connect string leads to another database than before, " +
                               facts.identity);
        }
        any_of(*driver_).hold_to(*asking.session, facts);
        instance_ = asking.session->life().instance;
        undoes_one_phase_ = !facts.one_phase_hazard.empty();
    }
    any_of(*driver_).end_cut(*asking.session, until);
    return connect();
}

held_session database::ask(deadline until)
{
    auto opened = open_session(*driver_, session_purpose::manage, until);
    auto const instance = opened.session->life().instance;
    {
        std::lock_guard const hold{process_lock()};
        if (instance != instance_) {
            throw driver_error(driver_->name() + ": the connection leads to another server, " +
                               instance);
        }
    }
    any_of(*driver_).end_cut(*opened.session, until);
    return opened;
}

bool database::is_gone(session_mark const& which)
{
    auto const until = connect_by();
    auto const asking = ask(until);
    if (asking.session->life() != which.life) return true;
    return driver_->presence(*asking.session, which.id, until) == session_presence::gone;
}

bool database::is_owner_gone(session_mark& first)
{
    auto const until = connect_by();
    auto const held = ask(until);
    session_mark const asking{held.session->id(), held.session->life()};
    if (asking.id == 0) {
        throw driver_error(driver_->name() + ": the server's sessions cannot be seen from here");
    }
    // What is to be ended was prepared before this session began; the numbers of another life of
    // the server say nothing.
    if (first.id == 0 || first.life != asking.life) first = asking;
    auto const others = any_of(*driver_).other_sessions(*held.session, until);
    deadline settled;
    {
        std::lock_guard const hold{process_lock()};
        auto const ours = connection::numbers(asking.life);
        // What is prepared on one of these is not ended by its name (resource::is_kept_here).
        bool const may_be_there = std::any_of(others.begin(), others.end(), [&](std::uint64_t id) {
            return dialects::is_older_of_32_bits(id, first.id) &&
                   std::find(ours.begin(), ours.end(), id) == ours.end();
        });
        if (may_be_there) return false;
        bool const is_known = departed_.before.id != 0 && departed_.before.life == first.life &&
                              !dialects::is_older_of_32_bits(departed_.before.id, first.id);
        if (!is_known) departed_ = {first, std::chrono::steady_clock::now()};
        settled = departed_.seen + session_settle;
    }
    std::this_thread::sleep_until(settled);
    return true;
}

dialects::any_branch_list database::read_list()
{
    auto const until = connect_by();
    auto const asking = ask(until);
    auto seen = any_of(*driver_).list_any(*asking.session, until);
    if (!seen.is_writable_primary) {
        throw driver_error(driver_->name() + ": a standby's list proves nothing");
    }
    std::lock_guard const hold{process_lock()};
    if (seen.identity != identity_) {
        throw driver_error(driver_->name() + ": the list is of another database, " + seen.identity);
    }
    return seen;
}

absence database::look_for(dialects::branch_name const& name, server_life const& asked)
{
    auto const seen = read_list();
    if (seen.life.instance != asked.instance) {
        throw driver_error(driver_->name() + ": the list is of another server, " +
                           seen.life.instance);
    }
    auto const& all = seen.branches;
    absence read;
    read.is_listed = std::find(all.begin(), all.end(), name) != all.end();
    std::lock_guard const hold{process_lock()};
    read.is_past_lost = seen.history != history_;
    return read;
}

}  // namespace assent::switch_out
