// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// session_numbers.hpp -- a switch, or a broker, has no sessions that could be looked for, so the
// adapter numbers its own: which of them is still there is known within this process, and of
// another process only how long ago it must have ended.
//
//   high half  random, of this process and switch         low half  counted
//
//   present  a session object has it, or a branch of it waits for its thread to end it, or a call
//            on it has not returned
//   gone     longer ago than was stated: what it had asked for is done, or lost; or all that it has
//            asked for was answered, where that is said
//
// One object for each instance of a switch, or broker, whichever driver asks: the sessions of
// another one in this process are no strangers.
//
// Thread safety: every member may be called from several threads at once.

#ifndef ASSENT_PORTS_SESSION_NUMBERS_HPP
#define ASSENT_PORTS_SESSION_NUMBERS_HPP

#include <chrono>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>

#include <assent/export.hpp>
#include <assent/resource_manager.hpp>
#include <assent/server.hpp>

namespace assent::ports {

class ASSENT_EXPORT session_numbers : public std::enable_shared_from_this<session_numbers>
{
public:
    /// How long after a session has ended what it had asked for may still happen; of whoever asks.
    /// Nothing: it is not known.
    using statement = std::optional<std::chrono::milliseconds>;

    /// Whether it is said what was answered: note_asking(), note_answered().
    enum class answers : std::uint8_t { not_told, told };

    explicit session_numbers(answers said = answers::not_told);

    /// A driver that will ask with this.
    void expect(statement end_within);
    /// A log was opened on it, and is locked: whoever had that log before has ended.
    void open();

    /// A number that is taken as long as this lives.
    class ASSENT_EXPORT held
    {
    public:
        held(std::shared_ptr<session_numbers> of, std::uint64_t id);
        held(held const&) = delete;
        held& operator=(held const&) = delete;
        ~held();
        std::uint64_t id() const noexcept { return id_; }
        /// It stays taken after this as well, until the process ends.
        void keep() const noexcept { of_->keep(id_); }
        /// It asks for something that may happen although nobody hears of it; or that, or that it
        /// never will, was answered.
        void note_asking() const noexcept { of_->note_asking(id_, true); }
        void note_answered() const noexcept { of_->note_asking(id_, false); }

    private:
        std::shared_ptr<session_numbers> const of_;
        std::uint64_t const id_;
        std::uint64_t const generation_;  // of the process
    };
    /// @param can_prepare  false: a session that works on no branch of its own.
    std::shared_ptr<held const> take(bool can_prepare = true);

    bool is_own(std::uint64_t id) const noexcept;
    session_presence presence(std::uint64_t id, statement end_within) const;
    /// Of every session with a lower number that can prepare, and of earlier processes.
    session_presence before(std::uint64_t first, statement end_within) const;

private:
    struct session
    {
        bool can_prepare = true;
        bool is_kept = false;
        bool is_asking = true;  // for what may happen yet
        std::optional<deadline> ended;
        std::list<std::uint64_t> place;  // its node of ended_, so that ending needs no memory
    };

    session_presence earlier(statement end_within) const;
    void keep(std::uint64_t id) noexcept;
    void note_asking(std::uint64_t id, bool is_asking) noexcept;
    void end(std::uint64_t id) noexcept;

    answers const said_;
    std::uint64_t const run_;

    mutable std::mutex mutex_;  // guards what follows
    std::uint64_t last_ = 0;
    std::optional<deadline> opened_;           // last
    std::chrono::milliseconds remembered_{0};  // the longest statement
    std::optional<deadline> remembers_since_;  // it was raised; nothing: from the first on
    bool forgets_nothing_ = false;             // of what was told: somebody has stated nothing
    bool has_forgotten_ = false;               // one that was asking
    std::map<std::uint64_t, session> all_;
    std::list<std::uint64_t> ended_;  // in order of time
};

}  // namespace assent::ports

#endif  // ASSENT_PORTS_SESSION_NUMBERS_HPP
