// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// database.cpp -- memory_database: the handle that tests hold on the server.

#include <limits>
#include <stdexcept>

#include "adapters/memory/server.hpp"

namespace assent::inline v0::testing {
namespace memory {

std::vector<memory_event> server::history() const
{
    lock held(mutex_);
    return history_;
}

std::vector<std::string> server::violations() const
{
    lock held(mutex_);
    return violations_;
}

std::vector<std::uint64_t> server::sessions() const
{
    lock held(mutex_);
    std::vector<std::uint64_t> found;
    for (auto const& [id, s] : sessions_)
        found.push_back(number_of(id));
    return found;
}

void server::set_writable(bool is_writable)
{
    lock held(mutex_);
    is_writable_ = is_writable;
}

void server::set_identity(std::string identity)
{
    lock held(mutex_);
    durable_.identity = std::move(identity);
}

void server::settle(xid const& x, bool by_commit)
{
    lock held(mutex_);
    auto const at = durable_.branches.find(x);
    if (at == durable_.branches.end() || at->second.at != phase::prepared) {
        throw error(errc::invalid_state, "no such prepared branch: " + x.text());
    }
    finish(at->second, by_commit ? branch_fate::committed : branch_fate::rolled_back);
}

void server::prepare_branch(xid const& x, row_map writes)
{
    lock held(mutex_);
    auto const [at, is_new] = durable_.branches.try_emplace(x);
    if (!is_new) throw error(errc::invalid_state, "the branch is known: " + x.text());
    branch& b = at->second;
    b.id = x;
    b.at = phase::prepared;
    b.writes = std::move(writes);
    b.had_prepare = b.is_yes_heard = true;
    go_live(b, branch_fate::prepared);
}

void server::prepare_foreign(std::string const& name, row_map writes)
{
    lock held(mutex_);
    if (!durable_.foreign.emplace(name, std::move(writes)).second) {
        throw error(errc::invalid_state, "the foreign branch is known: " + name);
    }
}

void server::commit_foreign(std::string const& name)
{
    lock held(mutex_);
    auto const at = durable_.foreign.find(name);
    if (at == durable_.foreign.end())
        throw error(errc::invalid_state, "no such foreign branch: " + name);
    for (auto const& [key, value] : at->second)
        durable_.rows[key] = value;
    durable_.foreign.erase(at);
}

}  // namespace memory

memory_database::memory_database(memory_options chosen)
    : server_(std::make_shared<memory::server>(std::move(chosen)))
{
}

fault_script memory_database::script() const
{
    return fault_script{server_};
}

std::unique_ptr<memory_connection> memory_database::connect() const
{
    return server_->open(0, session_purpose::work);
}

std::optional<std::int64_t> memory_database::value(std::string const& key) const
{
    return server_->value(key);
}

std::map<std::string, std::int64_t> memory_database::rows() const
{
    return server_->rows();
}

branch_fate memory_database::fate(xid const& id) const
{
    return server_->fate(id);
}

std::vector<xid> memory_database::prepared() const
{
    return server_->prepared();
}

std::map<xid, xa_code> memory_database::heuristics() const
{
    return server_->heuristics();
}

std::vector<memory_event> memory_database::history() const
{
    return server_->history();
}

std::vector<std::string> memory_database::violations() const
{
    return server_->violations();
}

std::vector<std::uint64_t> memory_database::sessions() const
{
    return server_->sessions();
}

bool memory_database::is_guarded(std::uint64_t node) const
{
    return server_->is_guarded(node);
}

std::string memory_database::identity() const
{
    return server_->facts().identity;
}

std::vector<decision_row> memory_database::decisions() const
{
    return server_->list_decisions({}, std::numeric_limits<std::size_t>::max());
}

std::vector<branch_row> memory_database::reservations() const
{
    return server_->reservations();
}

std::vector<task_row> memory_database::tasks() const
{
    return server_->tasks();
}

void memory_database::drop_tasks()
{
    server_->drop_tasks();
}

void memory_database::drop_decisions()
{
    server_->drop_decisions();
}

void memory_database::cut(std::uint64_t session)
{
    server_->cut(session);
}

void memory_database::linger_sessions()
{
    server_->linger(true);
}

void memory_database::reap_sessions()
{
    server_->linger(false);
}

void memory_database::detach_slowly(std::chrono::milliseconds takes)
{
    server_->detach_slowly(takes);
}

void memory_database::freeze()
{
    server_->freeze();
}

void memory_database::thaw()
{
    server_->thaw();
}

void memory_database::crash_server()
{
    server_->crash();
}

void memory_database::restart()
{
    server_->restart();
}

bool memory_database::is_up() const
{
    return server_->is_up();
}

void memory_database::set_writable(bool is_writable)
{
    server_->set_writable(is_writable);
}

void memory_database::set_identity(std::string identity)
{
    server_->set_identity(std::move(identity));
}

void memory_database::settle(xid const& id, bool by_commit)
{
    server_->settle(id, by_commit);
}

void memory_database::prepare_branch(xid const& id, std::string const& key, std::int64_t value)
{
    server_->prepare_branch(id, {{key, value}});
}

void memory_database::prepare_foreign(std::string const& name, std::string const& key,
                                      std::int64_t value)
{
    server_->prepare_foreign(name, {{key, value}});
}

void memory_database::commit_foreign(std::string const& name)
{
    server_->commit_foreign(name);
}

memory_backup memory_database::backup() const
{
    return server_->backup();
}

void memory_database::restore(memory_backup const& from)
{
    server_->restore(from);
}

}  // namespace assent::inline v0::testing
