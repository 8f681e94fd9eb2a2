// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "adapters/sql_text/session.hpp"

#include <algorithm>
#include <chrono>

#include "adapters/dialects/subject.hpp"

namespace assent::sql_text {

struct session::core
{
    std::shared_ptr<gate> passes = std::make_shared<gate>();

    // The worker's alone, and the caller's while the worker is idle.
    std::unique_ptr<link> connection;
    std::unique_ptr<speaker> speaks;
    found_socket found;

    std::mutex mutex;  // guards what follows
    std::optional<reply> answer;
    bool is_clear = true;  ///< after the last job
    bool must_cut = false;

    void close(socket_reference const& socket, bool is_ours);
};

namespace {

/// The seconds that a client may take; it counts whole ones.
unsigned seconds_until(deadline until)
{
    auto const left = std::chrono::ceil<std::chrono::seconds>(until - deadline::clock::now());
    return left.count() < 1 ? 1U : static_cast<unsigned>(std::min<long>(left.count(), 3600));
}

driver_error refusal(std::string const& name, std::string const& what, bool must_close = false)
{
    return driver_error(dialects::subject(name) + what, {}, 0, must_close);
}

/// Every error of a connection's making names the resource manager that it was for.
template <typename Make>
std::unique_ptr<link> named(std::string const& name, Make make)
{
    try {
        return make();
    } catch (driver_error const& error) {
        throw driver_error(error.why(), dialects::subject(name) + error.what(), error.sqlstate(),
                           error.native_code(), error.must_close());
    }
}

}  // namespace

session::session(std::shared_ptr<session_family> family)
    : family_(std::move(family)), core_(std::make_shared<core>())
{
}

std::unique_ptr<session> session::open(link_source const& source, session_purpose purpose,
                                       std::shared_ptr<session_family> family, deadline until)
{
    std::string const name = family->name;
    speaker_maker const make_speaker = family->make_speaker;
    std::unique_ptr<session> made(new session(std::move(family)));
    auto const failure = std::make_shared<std::exception_ptr>();
    bool const is_done =
        made->run(until, [source, purpose, name, make_speaker, until, failure](core& with) {
            try {
                auto const before = open_sockets();
                auto const connect = [source, name, passes = with.passes,
                                      seconds = seconds_until(until)] {
                    return named(name, [&] { return source(passes, seconds); });
                };
                with.connection = connect();
                with.speaks = make_speaker(*with.connection, name, connect);
                with.speaks->introduce(purpose);
                with.found = find_socket(with.speaks->ask_peer(), &before);
            } catch (...) {
                *failure = std::current_exception();
            }
        });
    if (!is_done) {
        made->sever();
        throw refusal(name,
                      "the server gave no connection within the deadline; check its address, and "
                      "whether it answers at all");
    }
    if (*failure) std::rethrow_exception(*failure);
    made->adopt(made->core_->found);
    return made;
}

std::unique_ptr<session> session::borrow(lending lent, std::shared_ptr<session_family> family,
                                         deadline until)
{
    std::string const name = family->name;
    speaker_maker const make_speaker = family->make_speaker;
    std::unique_ptr<session> made(new session(std::move(family)));
    made->is_borrowed_ = true;
    made->lending_until_ = until;
    made->lent_ = std::move(lent);
    auto const failure = std::make_shared<std::exception_ptr>();
    bool const is_done = made->run(made->answer_by(until), [make_link = made->lent_.make_link, name,
                                                            make_speaker, failure](core& with) {
        try {
            with.connection = named(name, [&] { return make_link(with.passes); });
            with.speaks = make_speaker(*with.connection, name, [name]() -> std::unique_ptr<link> {
                throw refusal(name, "a lent connection is not for the manager's own questions");
            });
            with.speaks->inspect();
            with.found = find_socket(with.speaks->ask_peer(), nullptr);
        } catch (...) {
            *failure = std::current_exception();
        }
    });
    if (!is_done) {
        throw made->not_lent(
            "the connection is refused: it is busy, or its server does not answer");
    }
    if (*failure) std::rethrow_exception(*failure);
    made->adopt(made->core_->found);
    return made;
}

void session::adopt(found_socket const& found)
{
    handle_ = core_->connection->handle();
    kind_ = core_->connection->kind();
    bool const is_file = kind_ == database_kind::sqlite;
    speaker& speaks = *core_->speaks;
    // A client that tells its number is behind a proxy where the server has another one.
    bool const is_direct = lent_.client_id != 0 ? lent_.client_id == speaks.id() : found.is_direct;
    if (!is_file && !is_direct) speaks.set_proxied();
    id_ = speaks.id();
    life_ = speaks.life();
    socket_ = found.socket;
    if (!socket_.set_close_on_exec()) socket_ = {};
    bool const is_lent_blindly = is_borrowed_ && lent_.must_have_socket && !is_file;
    if (is_lent_blindly && socket_.descriptor < 0) {
        throw refusal(
            family_->name,
            "the connection is refused: its socket cannot be told from others of this process, "
            "so that it could not be cut when its server falls silent; connect by TCP and without "
            "a proxy, or take a lease");
    }
    // A number that was cancelled once may have been given to this new session.
    if (!is_borrowed_ && id_ != 0) family_->cancelled->forget(id_);
}

session::~session()
{
    if (is_abandoned_) return;
    if (is_borrowed_) give_back();
    try {
        worker_.post([with = core_, socket = socket_, is_ours = !is_borrowed_] {
            with->close(socket, is_ours);
        });
    } catch (std::exception const&) {
        return;  // without memory for a job the connection is closed with what is shared
    }
}

deadline session::answer_by(deadline until) const
{
    auto const now = deadline::clock::now();
    if (!lending_until_ || until <= now || until == deadline::max()) return until;
    return until - (until - now) / lent_reserve_parts;
}

driver_error session::not_lent(std::string why)
{
    if (!give_back()) why += ", and its client's call still runs";
    return refusal(family_->name, why, true);
}

bool session::give_back() noexcept
{
    try {
        if (core_->passes->is_left()) return false;
        if (!worker_.is_idle()) sever();
        auto const patient = deadline::clock::now() + family_->call_wait;
        if (worker_.wait(std::min(patient, lending_until_.value_or(patient)))) return true;
        core_->passes->leave();
        family_->unreachable.note_left(id_);
    } catch (std::exception const&) {
        // Without memory the operator is not told; the owner is, by on_release.
        return false;
    }
    return false;
}

void session::core::close(socket_reference const& socket, bool is_ours)
{
    bool was_clear = false;
    {
        std::lock_guard const hold(mutex);
        was_clear = is_clear;
    }
    // A client must not end in its own way what is still open: it might commit.
    if (is_ours && !was_clear) {
        if (speaks != nullptr) speaks->undo_severed();
        socket.sever();
    }
    speaks.reset();
    connection.reset();
    // ODBC's driver manager may keep it in a pool, where the server's session would live on.
    if (is_ours) socket.sever();
}

bool session::run(deadline until, std::function<void(core&)> work)
{
    worker_.post([with = core_, work = std::move(work)] {
        work(*with);
        if (with->passes->is_left()) return;
        bool const is_clear = with->speaks != nullptr && with->speaks->is_clear();
        bool const must_cut = with->speaks != nullptr && with->speaks->must_cut();
        std::lock_guard const hold(with->mutex);
        with->is_clear = is_clear;
        with->must_cut = must_cut;
    });
    return worker_.wait(until);
}

void session::ask_any(deadline until, std::function<void(speaker&)> work)
{
    auto const failure = std::make_shared<std::exception_ptr>();
    if (is_abandoned_ || is_cut_ || core_->passes->is_cut()) {
        throw refusal(family_->name, "the connection was cut; open another one", true);
    }
    verb_ = verb::start;  // what was sent before was answered, or the gate would be shut
    if (lending_until_) lending_until_ = until;
    bool const is_done = run(answer_by(until), [failure, work = std::move(work)](core& with) {
        try {
            work(*with.speaks);
        } catch (...) {
            *failure = std::current_exception();
        }
    });
    if (!is_done) {
        // The answer may still come; nobody must take it for the answer to something else.
        sever();
        std::string const why = "the server did not answer within the deadline";
        throw lending_until_ ? not_lent(why) : refusal(family_->name, why, true);
    }
    if (*failure) std::rethrow_exception(*failure);
}

void session::submit_any(verb v, dialects::branch_name const& x) noexcept
{
    verb_ = v;
    is_waiting_ = true;
    lending_until_.reset();
    if (is_cut_ || is_abandoned_) return;
    try {
        request asked{v, x, {}, {}};
        if (v == verb::start) {
            asked.modes = std::exchange(next_, {});
            asked.insertion = std::exchange(trial_, {});
        }
        // What is carried ends with its branch, however that ends.
        std::string carried = std::exchange(carried_, {});
        if (v == verb::commit_one_phase) asked.insertion = std::move(carried);
        core_->passes->forget_commit();
        {
            std::lock_guard const hold(core_->mutex);
            core_->answer.reset();
        }
        run({}, [asked = std::move(asked)](core& with) {
            reply said;
            try {
                said = with.speaks->run(asked);
            } catch (std::exception const& error) {
                with.passes->cut();  // nobody knows where the conversation stands
                said.code = xa_code::rmfail;
                said.detail = reply_detail::reply_lost;
                said.text = error.what();
            }
            std::lock_guard const hold(with.mutex);
            with.answer = std::move(said);
        });
    } catch (std::exception const&) {
        sever();  // no memory for a job: nothing was sent, and nothing more will be
    }
}

void session::let_go() noexcept
{
    if (is_cut_ || is_abandoned_ || is_waiting_) return;
    try {
        // Nothing is asked of the client, so this waits for the worker to wake up.
        constexpr std::chrono::seconds at_most{1};
        run(deadline::clock::now() + at_most, [](core& with) { with.speaks->let_go(); });
    } catch (std::exception const&) {
        return;  // without memory for a job the session serves no other branch
    }
}

std::optional<reply> session::collect(deadline until) noexcept
{
    try {
        if (is_abandoned_ || !is_waiting_) return lost();
        if (!is_cut_ && !worker_.wait(until)) return std::nullopt;
        is_waiting_ = false;
        std::optional<reply> said;
        bool must_cut = false;
        {
            std::lock_guard const hold(core_->mutex);
            said = std::exchange(core_->answer, std::nullopt);
            must_cut = core_->must_cut;
        }
        if (must_cut) sever();
        // A reply that came before the cut stands.
        if (said) return said;
        return lost();
    } catch (std::exception const&) {
        sever();
        return reply{xa_code::rmfail, reply_detail::reply_lost, 0, {}, {}, {}};
    }
}

/// What is said of a verb whose reply nobody waits for any more.
reply session::lost() const
{
    reply said;
    said.code = xa_code::rmfail;
    said.detail = reply_detail::reply_lost;
    said.text = "the connection was cut";
    if (is_abandoned_ || verb_ != verb::commit_one_phase) return said;
    said.witness = core_->passes->witness();
    if (!core_->passes->has_commit_passed()) {
        // COMMIT never left, and the gate is shut, so no server can have obeyed it.  Nobody has
        // confirmed that the session is gone, and with it its locks.
        said.code = xa_code::rbother;
        said.detail = reply_detail::none;
    }
    return said;
}

bool session::is_reusable() const noexcept
{
    try {
        if (is_abandoned_ || is_cut_ || is_waiting_ || !worker_.is_idle()) return false;
        if (core_->passes->is_cut()) return false;
        if (id_ != 0 && family_->cancelled->contains(id_)) return false;
        std::lock_guard const hold(core_->mutex);
        return core_->is_clear;
    } catch (std::exception const&) {
        return false;  // a mutex that fails: better to lose a connection than to trust it
    }
}

void session::sever() noexcept
{
    if (is_abandoned_ || is_cut_) return;
    is_cut_ = true;
    try {
        core_->passes->cut();
        cut();
        worker_.post([with = core_] {
            if (with->speaks != nullptr) with->speaks->undo_severed();
        });
    } catch (std::exception const&) {
        // Without memory the session keeps what it holds until it is destroyed.
        return;
    }
}

void session::cut()
{
    if (lent_.sever()) return;
    if (socket_.descriptor >= 0) return socket_.sever();
    pid_t const busy = worker_.busy_thread();
    if (busy != 0 && sever_awaited_socket(busy)) return;
    if (id_ == 0) return;
    // An answer that was lost is none: the server may still be executing what was sent.
    bool const is_one_phase = verb_ == verb::commit_one_phase;
    if (verb_ == verb::commit) return family_->unreachable.note_kept(id_);
    if (is_one_phase && core_->passes->has_commit_passed()) {
        return family_->unreachable.add_committing(id_);
    }
    family_->unreachable.add(id_);
}

void session::abandon() noexcept
{
    // The mutexes of the worker may be locked for ever in this process, and its thread is not here:
    // nothing is touched, and what would disconnect is forgotten.
    is_abandoned_ = true;
    worker_.abandon();
    static_cast<void>(core_->speaks.release());
    static_cast<void>(core_->connection.release());
}

}  // namespace assent::sql_text
