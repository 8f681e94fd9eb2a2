// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "recovery/desk.hpp"

#include <algorithm>
#include <exception>
#include <new>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "recovery/facts.hpp"
#include "recovery/forgetting.hpp"
#include "recovery/keeper.hpp"
#include "recovery/refusal.hpp"

namespace assent::recovery {

desk::desk(context& shared, std::function<std::shared_ptr<keeper>(std::string const&)> find)
    : worker(shared), find_(std::move(find))
{
}

void desk::serve_in(std::string const& directory)
{
    box_.emplace(directory);
}

void desk::cut() noexcept
{
    std::lock_guard const held{mutex_};
    is_cut_ = true;
    if (asked_) asked_->asked().cut();
}

void desk::stop(deadline until) noexcept
{
    is_stopping_ = true;
    ask_to_stop();
    if (!has_ended(until)) cut();
    join();
}

deadline desk::work()
{
    if (!box_) return deadline::max();
    try {
        look();
        failed_.forget();
    } catch (std::bad_alloc const&) {
        throw;
    } catch (std::exception const& e) {
        if (failed_.is_news(e.what())) {
            shared_.tell(severity::warning, "request.unreadable", {}, {}, e.what());
        }
    }
    return shared_.time.now() + request_interval;
}

void desk::look()
{
    for (auto const& id : box_->ids(box_kind::taken)) {
        if (is_stopping_) return;
        serve(box_kind::taken, id);
    }
    std::size_t served = 0;
    for (auto const& id : box_->ids(box_kind::request)) {
        if (is_stopping_ || served == requests_per_look_max) return;
        if (serve(box_kind::request, id)) ++served;
    }
    if (shared_.time.now() < next_tidying_) return;
    box_->remove_older_than(answers_kept);
    next_tidying_ = shared_.time.now() + answers_kept;
}

/// @return whether it was answered.
bool desk::serve(box_kind found_as, std::string const& id)
{
    auto const content = box_->read(found_as, id);
    if (!content.is_there) return false;
    if (!content.fault.empty()) {
        auto const text = "the request " + id + " is left alone: " + content.fault;
        bool const may_be_told = ignored_.size() < requests_per_look_max;
        if (may_be_told && ignored_.insert(id).second) {
            shared_.tell(severity::warning, "request.ignored", {}, {}, text);
        }
        return false;
    }
    bool const is_answered = box_->read(box_kind::answer, id).is_there;
    if (is_answered && found_as == box_kind::taken) {
        box_->remove(box_kind::taken, id);  // only that was left to be done
        return false;
    }
    if (has_to_wait(content.text, found_as == box_kind::taken)) return false;
    bool const was_withdrawn =
        found_as == box_kind::request && !box_->rename(box_kind::request, box_kind::taken, id);
    if (was_withdrawn) return false;
    shared_.tell(severity::debug, "request.taken", {}, {}, id);
    auto const how = carry_out(content.text, found_as == box_kind::taken);
    shared_.tell(severity::debug, "request.answer", {}, {}, how.text);
    box_->write(box_kind::answer, id, text_of(how));
    shared_.tell(severity::debug, "request.answered", {}, {}, id);
    box_->remove(box_kind::taken, id);
    return true;
}

/// Whether nobody can say yet what is prepared there, and there is time left to wait for that.  One
/// that was taken waits for the lock of its node as well, which a new owner does not have at once:
/// a refusal would leave open for ever whether it was done.
bool desk::has_to_wait(std::string const& text, bool was_taken) const
{
    auto const parsed = parse_request(text);
    auto const* const what = std::get_if<request>(&parsed);
    if (what == nullptr || what->deed != request_deed::resolve) return false;
    if (shared_.time.unix_ms() > what->until_ms) return false;
    auto const at = find_(what->resource_manager);
    if (!at || !at->asked().is_ready()) return true;
    return was_taken && !at->asked().is_guarded();
}

answer desk::carry_out(std::string const& text, bool was_taken)
{
    auto const parsed = parse_request(text);
    auto const refused = [&](act_status status, std::string const& why) {
        auto const epoch = shared_.log->current().epoch;
        if (!was_taken) return answer{status, has_begun_, epoch, why};
        return answer{act_status::attention, true, epoch,
                      "an earlier owner, or this one before, had begun with it; it may have been "
                      "done: look again (this time: " +
                          why + ")"};
    };
    has_begun_ = was_taken;
    if (auto const* const fault = std::get_if<std::string>(&parsed)) {
        auto const why = "this is no request: " + *fault;
        shared_.tell(severity::warning, "request.refused", {}, {}, why);
        return refused(act_status::misused, why);
    }
    auto const& what = std::get<request>(parsed);
    answer how;
    try {
        how = carry_out(what, was_taken);
    } catch (refusal const& e) {
        how = refused(e.status(), e.what());
    } catch (std::bad_alloc const&) {
        throw;
    } catch (std::exception const& e) {
        how = refused(act_status::failed, std::string{e.what()} + "; ask again");
    }
    how.has_acted = how.has_acted || was_taken;
    tell(what, how);
    return how;
}

void desk::tell(request const& what, answer const& how) const
{
    bool const is_done = how.status == act_status::done;
    auto const text = what.who + ", " + what.why + ": " + how.text;
    shared_.tell(is_done ? severity::info : severity::warning,
                 is_done ? "request.carried_out" : "request.refused", what.resource_manager,
                 what.transaction, text);
}

answer desk::carry_out(request const& what, bool was_taken)
{
    if (shared_.time.unix_ms() > what.until_ms) {
        if (was_taken) throw refusal{act_status::attention, "its time was over"};
        throw refusal{act_status::attention,
                      "its time was over before it was begun; nothing was done: ask again"};
    }
    return what.deed == request_deed::forget ? forget(what) : resolve(what);
}

void desk::require_own(gtrid const& which) const
{
    auto const parts = which.parts();
    bool const is_own =
        parts.node == shared_.log->node() && shared_.log->knows({parts.epoch, parts.nonce});
    if (is_own) return;
    throw refusal{act_status::misused, "no opening of this log made this transaction"};
}

answer desk::forget(request const& what)
{
    auto const one = xid::parse(what.transaction);
    auto const global = one ? std::optional{one->global} : gtrid::parse(what.transaction);
    if (!global) throw refusal{act_status::misused, "this is no transaction of Assent"};
    forget_choice const choice{*global, one, what.resource_manager};
    auto const all = shared_.log->heuristics();
    auto const chosen = choice.of(all);
    auto const epoch = shared_.log->current().epoch;
    if (chosen.empty()) {
        auto const before = choice.forgotten_before(shared_.log->operator_records());
        if (!before) {
            require_own(*global);
            throw refusal{act_status::misused, "there is no heuristic outcome of it on record"};
        }
        return {act_status::done, false, epoch,
                "it was forgotten before, by " + before->who + ": " + before->why};
    }
    if (!are_marked(chosen, what.seen)) {
        throw refusal{act_status::attention,
                      "what is recorded of it changed meanwhile, and nobody has read that; nothing "
                      "was forgotten: look again"};
    }
    require_forgettable(chosen, all,
                        [this](gtrid const& which) { return shared_.log->find(which); });
    require_unlisted(chosen);
    recovery::forget(
        chosen, what.who, what.why, [this] { return shared_.time.unix_ms(); }, *shared_.log,
        [this](char const*) {
            has_begun_ = true;
            shared_.tell(severity::debug, "request.record", {}, {}, {});
        });
    return {act_status::done, true, epoch,
            std::to_string(chosen.size()) +
                (chosen.size() == 1 ? " heuristic outcome is" : " heuristic outcomes are") +
                " forgotten; who did it and why is in the log"};
}

/// So that a cut reaches it.
template <class Question>
auto desk::ask(std::shared_ptr<keeper> at, Question const& question)
{
    {
        std::lock_guard const held{mutex_};
        if (is_cut_) throw refusal{act_status::failed, "the application closes; nothing was sent"};
        asked_ = at;
    }
    struct release
    {
        desk& of;
        ~release()
        {
            std::shared_ptr<keeper> gone;  // let go outside the lock
            std::lock_guard const held{of.mutex_};
            gone.swap(of.asked_);
        }
    } const until_then{*this};
    return question(at->asked());
}

/// Where a handler would run again at what is still listed.
void desk::require_unlisted(std::vector<ports::heuristic_record> const& chosen)
{
    for (auto const& bound : shared_.log->bindings()) {
        if (!may_run_again(bound)) continue;
        for (auto const& each : chosen) {
            if (each.branch.branch.parts().resource_manager != bound.id) continue;
            auto const at = find_(bound.name);
            if (!at) {
                throw refusal{act_status::attention,
                              why_unasked_is_kept(
                                  each.branch, bound,
                                  "the application does not have \"" + bound.name + "\" any more")};
            }
            ask(at, [&each](asked_end& of) { of.require_unlisted(each.branch); });
        }
    }
}

answer desk::resolve(request const& what)
{
    auto const one = xid::parse(what.transaction);
    auto const global = one ? std::optional{one->global} : gtrid::parse(what.transaction);
    if (!global) throw refusal{act_status::misused, "this is no transaction of Assent"};
    require_own(*global);
    auto const at = find_(what.resource_manager);
    if (!at) {
        throw refusal{act_status::misused,
                      "the application has no resource manager \"" + what.resource_manager + "\""};
    }
    return ask(at, [&](asked_end& of) {
        return of.carry_out(what, [this](char const* step) {
            has_begun_ = true;
            shared_.tell(severity::debug, std::string{"request."} + step, {}, {}, {});
        });
    });
}

}  // namespace assent::recovery
