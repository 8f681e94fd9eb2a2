// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// matrix_play.cpp -- one cell at work: the answer is put in force, an application works and hears
// what became of it, and then the rows of the switches and the calls that they met are judged.

#include <algorithm>
#include <filesystem>
#include <functional>
#include <map>
#include <thread>

#include <xopen/xa.h>

#include "tests/unit/xopen/matrix_calls.hpp"
#include "tests/unit/xopen/matrix_cell.hpp"
#include "tests/unit/xopen/monitor.hpp"

namespace xopen_test {

namespace {

namespace fs = std::filesystem;

switch_call routine_of(call what)
{
    switch (what) {
        case call::open:
            return switch_call::open;
        case call::close:
            return switch_call::close;
        case call::start:
            return switch_call::start;
        case call::end:
            return switch_call::end;
        case call::prepare:
            return switch_call::prepare;
        case call::commit:
        case call::one_phase:
            return switch_call::commit;
        case call::rollback:
            return switch_call::rollback;
        case call::recover:
            return switch_call::recover;
        case call::forget:
            return switch_call::forget;
        case call::complete:
            break;
    }
    return switch_call::complete;
}

/// Whether recovery makes this call itself.
bool is_of_recovery(call what)
{
    return what != call::start && what != call::end && what != call::prepare &&
           what != call::one_phase;
}

/// What the branch has come to that was answered so.
told kind_of(assent::heuristic_error const& e)
{
    static std::map<std::string, told> const kinds = {{"heuristic commit", told::heur_com},
                                                      {"heuristic rollback", told::heur_rb},
                                                      {"heuristic mixed", told::heur_mix},
                                                      {"heuristic hazard", told::heur_haz}};
    for (auto const& each : e.branches()) {
        auto const at = kinds.find(each.state);
        if (at != kinds.end()) return at->second;
    }
    return told::nobody;
}

/// One cell at work.
class player
{
public:
    player(cell const& one, wreckage const& left)
        : is_(one),
          left_(left),
          wants_(expectation_of(one)),
          is_asked_by_recovery_(one.in == when::recovery && is_of_recovery(one.what)),
          struck_(is_asked_by_recovery_ ? "old" : "new")
    {
        if (is_.in == when::recovery) {
            // One phase commits, and nothing else may; what was not decided only rolls back.
            old_is_decided_ = is_.what != call::rollback && is_.what != call::one_phase;
            take_picture(old_is_decided_ ? left.decided() : left.undecided(), home_.path() + "/in");
        } else {
            fs::create_directory(home_.path() + "/in");
        }
        assent::testing::switch_options like;
        like.is_asynchronous = is_asynchronous();
        like.registers = is_.how == variant::registering;
        at_.emplace(home_.path() + "/in", like);
        if (is_.what == call::recover) add_strangers(at_->bank(place()));
    }

    std::vector<std::string> play()
    {
        if (is_.in == when::recovery) strike();
        at_->open();
        std::thread{[this] {
            try {
                run();
            } catch (std::exception const& e) {
                complain(std::string{"not foreseen: "} + e.what());
            }
        }}.join();
        settle();
        return wrong_;
    }

private:
    /// Whose answer it is.
    int place() const { return is_.what == call::recover ? 1 : is_.position; }
    bool is_asynchronous() const
    {
        return is_.what == call::complete || is_.how == variant::asynchronous;
    }
    bool is_done() const { return is_.how == variant::was_done; }
    bool has_sequence() const { return is_.what == call::one_phase; }

    void complain(std::string const& what) { wrong_.push_back(is_.text() + ": " + what); }
    void require(bool is_so, std::string const& what)
    {
        if (!is_so) complain(what);
    }

    /// Puts the answer in force.
    void strike()
    {
        auto& bank = at_->bank(place());
        mark_ = bank.history().size();
        if (is_.what == call::forget) bank.on(switch_call::commit).answer(xa_code::heurcom);
        if (is_.what == call::close && is_.in == when::recovery)
            bank.on(switch_call::commit).answer(xa_code::rmfail);
        auto fault = bank.on(routine_of(is_.what));
        fault.nth(nth());
        if (is_.how == variant::repeated) fault.times(3);
        auto const code = static_cast<xa_code>(is_.answer);
        bool const is_counted = is_.what == call::recover || is_.what == call::complete;
        if (is_counted && is_.answer == XA_OK) {
            // As it is: a number of names; the answer of the call.
        } else if (is_done() || is_.what == call::recover) {
            // Of a list: names that it has besides cannot be taken from it.
            fault.answer_after_effect(code);
        } else {
            fault.answer(code);
        }
    }
    /// Which call it is of those that are made from then on.
    int nth() const { return is_.what == call::recover || has_sequence() ? is_.position + 1 : 1; }

    /// The application, on a thread of its own.
    void run()
    {
        if (is_.in == when::recovery && is_of_recovery(is_.what)) {
            finish_recovery();
        } else {
            if (!at_->becomes_serving()) return complain("it does not come to serve");
            if (is_.in == when::run) strike();
            if (has_sequence()) {
                for (int i = 0; i < positions; ++i)
                    commit_alone(i);
            } else {
                heard_ = transact();
            }
        }
        if (is_.what != call::close) go_on();
    }

    void finish_recovery()
    {
        heard_ = told::nobody;
        require(becomes_settled(), "something is left unfinished");
    }

    /// Where a transaction has one branch: in the same switch, one after the other.
    void commit_alone(int i)
    {
        auto tx = at_->tm().begin();
        at_->work(tx, i == is_.position ? "new" : "beside " + std::to_string(i), {place()});
        auto const said = end(tx);
        if (i == is_.position) {
            heard_ = said;
        } else {
            require(said == told::committed, "the transaction beside it was not committed");
        }
    }

    told transact()
    {
        auto tx = at_->tm().begin();
        try {
            at_->work(tx, "new", {0, 1, 2});
        } catch (assent::error const& e) {
            words_ = e.what();
            auto const said = end_by([&] { return tx.rollback(); });
            return said == told::rolled_back ? told::refused : said;
        }
        return is_.what == call::rollback ? end_by([&] { return tx.rollback(); }) : end(tx);
    }
    told end(assent::transaction& tx)
    {
        auto const said = end_by([&] { return tx.commit(); });
        auto const known = at_->tm().outcome(tx.id());
        bool const is_contrary =
            ((said == told::committed || said == told::pending) &&
             known != assent::known_outcome::committed) ||
            (said == told::rolled_back && known == assent::known_outcome::committed);
        require(!is_contrary, "outcome() says otherwise");
        return said;
    }
    told end_by(std::function<outcome()> const& ends)
    {
        try {
            auto const said = ends();
            return said == outcome::committed           ? told::committed
                   : said == outcome::committed_pending ? told::pending
                                                        : told::rolled_back;
        } catch (assent::rolled_back_error const& e) {
            words_ = e.what();
            return told::rolled_back;
        } catch (assent::heuristic_error const& e) {
            words_ = e.what();
            return kind_of(e);
        } catch (assent::in_doubt_error const& e) {
            words_ = e.what();
            return told::in_doubt;
        }
    }

    /// The thread is free for the next transaction.
    void go_on()
    {
        require(at_->becomes_serving(), "it does not serve any more");
        std::string why;
        // An answer that the caller did not wait for keeps the thread while it is under way.
        api_test::becomes_true([&] {
            why = go_on_once();
            return why.empty() || !is_asynchronous();
        });
        require(why.empty(), "the next transaction failed: " + why);
    }
    /// @return why it did not begin.
    std::string go_on_once()
    {
        auto tx = at_->tm().begin();
        try {
            at_->work(tx, "next", {0, 1, 2});
        } catch (assent::error const& e) {
            return e.what();
        }
        auto const said = end(tx);
        require(said == told::committed || said == told::pending,
                "the next transaction was not committed");
        return {};
    }

    bool becomes_settled() const
    {
        return at_->becomes_finished(is_.what == call::recover ? strangers : 0, place());
    }

    /// When everything that was due is done.
    void settle()
    {
        require(becomes_settled(), "something is left unfinished");
        bool const is_recorded = at_->tm().state().heuristics != 0;
        auto const contrary =
            old_is_decided_ ? assent::known_outcome::rolled_back : assent::known_outcome::committed;
        require(at_->tm().outcome(left_.id()) != contrary,
                "outcome() says otherwise of the old one");
        at_->close();

        // A completed call is heard of when it is asked for, which may be too late for the caller.
        bool const is_late =
            is_asynchronous() && heard_ == told::pending && wants_.to_caller == told::committed;
        require(heard_ == wants_.to_caller || is_late,
                "the caller was told " + std::to_string(static_cast<int>(heard_)) + ": " + words_);
        require(is_recorded == wants_.is_recorded,
                is_recorded ? "a heuristic is recorded" : "no heuristic is recorded");
        for (int i = 0; i < positions; ++i)
            judge_effects(i);
        judge_calls();
        require(at_->bank(place()).pending() == 0, "it was never asked");
        for (int i = 0; i < positions; ++i) {
            for (auto const& each : at_->bank(i).violations())
                complain("against XA: " + each);
        }
    }

    void judge_effects(int i)
    {
        auto const& bank = bank_names.at(i);
        bool const is_here = i == place();
        if (has_sequence()) {
            if (!is_here) return;
            for (int beside = 0; beside < positions; ++beside) {
                auto const what = "beside " + std::to_string(beside);
                require(beside == is_.position || at_->effect_of(what, i) == wants_.elsewhere,
                        "the transaction beside it has another effect");
            }
        }
        auto const found = at_->effect_of(struck_, i);
        auto wanted = is_here ? wants_.here : wants_.elsewhere;
        if (is_here && is_done() && is_.what == call::one_phase) wanted = effect::whole;
        require(found == wanted, std::string{bank} + " has effect " +
                                     std::to_string(static_cast<int>(found)) + " of it");
        if (is_.in == when::recovery && !is_asked_by_recovery_) {
            auto const due = old_is_decided_ ? effect::whole : effect::none;
            require(at_->effect_of("old", i) == due,
                    std::string{bank} + " has not finished what the crash left");
        }
        require(is_.what == call::close || at_->effect_of("next", i) == effect::whole,
                std::string{bank} + " has not all of the next transaction");
    }

    void judge_calls()
    {
        auto const all = at_->bank(place()).history();
        auto const sent = sent_after({all.begin() + static_cast<std::ptrdiff_t>(mark_), all.end()},
                                     routine_of(is_.what), nth());
        if (sent) require(fits(wants_.then, *sent), "the branch was then sent" + words_of(*sent));
        if (is_asked_by_recovery_ && is_.what == call::recover) {
            require(is_listed_before_it_is_finished(all), "it was finished before the list's end");
        }
        for (int i = 0; i < positions; ++i) {
            for (auto const& each : at_->bank(i).history()) {
                if (!has_flags_of_ours(each, is_asynchronous()))
                    complain("against our own rules: " + words_of(each));
            }
            // It is no reason to leave the others open.
            bool const is_refused = is_.what == call::close && i == place();
            require(is_refused || at_->bank(i).openings() == 0,
                    std::string{bank_names.at(i)} + " was not closed");
        }
    }

    cell is_;
    wreckage const& left_;
    expected const& wants_;
    bool is_asked_by_recovery_;
    std::string struck_;
    bool old_is_decided_ = false;
    api_test::temporary_directory home_;
    std::optional<monitor> at_;
    std::size_t mark_ = 0;
    told heard_ = told::nobody;
    std::string words_;
    std::vector<std::string> wrong_;
};

}  // namespace

std::vector<std::string> play(cell const& one, wreckage const& left)
{
    return player{one, left}.play();
}

}  // namespace xopen_test
