// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include <any>
#include <optional>
#include <utility>

#include "adapters/messages/batch.hpp"
#include "adapters/messages/header_text.hpp"
#include "adapters/messages/message_check.hpp"

namespace assent {
inline namespace v0 {
namespace message {

using messages::batch;
using messages::task_home;

namespace {

taken_message message_of(task_row&& row)
{
    taken_message made;
    made.headers = messages::from_text(row.headers);
    made.to = std::move(row.to);
    made.key = std::move(row.key);
    made.body = std::move(row.body);
    made.id = std::move(row.token);
    made.gtrid = std::move(row.gtrid);
    return made;
}

}  // namespace

struct queue::impl
{
    std::shared_ptr<task_home> home;

    /// What `tx` has gathered for this database, by whichever queue.
    std::shared_ptr<batch> batch_of(transaction& tx) const
    {
        auto const key = "assent.messages " + home->name();
        auto const kept = tx.get_resource(key);
        if (auto const* const found = std::any_cast<std::shared_ptr<batch>>(&kept)) return *found;
        auto made = std::make_shared<batch>(home);
        tx.put_resource(key, made);
        return made;
    }
};

queue::queue(resource_manager const& home)
    : impl_(std::make_shared<impl>(impl{std::make_shared<task_home>(home)}))
{
}

void queue::put(transaction& tx, message const& what) const
{
    auto headers = messages::require_fit(what, tx.id());
    auto& home = *impl_->home;
    // First of all: of a transaction that takes no more nobody connects, and a queue over an object
    // that was never added gathers nothing under the name of one that was.
    tx.require_work(home.manager());
    auto const gathered = impl_->batch_of(tx);
    gathered->require_room(what, headers, tx.id());
    // Whoever cannot put has registered nothing: the commit would begin a branch for it.
    home.require_tables(tx.id());
    if (!gathered->add(what, std::move(headers))) return;
    try {
        tx.work_at_commit(home.manager(), [gathered](driver_session& on, deadline until) {
            gathered->write(on, until);
        });
    } catch (...) {
        gathered->take_back();
        throw;
    }
}

std::optional<taken_message> queue::take(transaction& tx, std::string const& to) const
{
    messages::require_destination(to, tx.id());
    auto& home = *impl_->home;
    tx.require_work(home.manager());
    home.require_tables(tx.id());
    std::optional<taken_message> taken;
    tx.work_on(home.manager(), [&](driver_session& on, deadline until) {
        // Made here: what fails once the row is deleted rolls back.
        auto row = home.take(on, to, until);
        if (row) taken = message_of(std::move(*row));
    });
    return taken;
}

}  // namespace message
}  // namespace v0
}  // namespace assent
