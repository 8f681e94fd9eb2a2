// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// held_commits.hpp -- a PostgreSQL server all of whose commits wait for a standby that nobody is.

#ifndef ASSENT_TESTS_SERVERS_HELD_COMMITS_HPP
#define ASSENT_TESTS_SERVERS_HELD_COMMITS_HPP

#include <libpq-fe.h>

#include <chrono>
#include <cstdio>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>

namespace assent::testing {

/// As long as it lives.  A test that fails leaves no server behind that commits nothing.
class held_commits
{
public:
    /// Returns when a commit was seen waiting.  A session that shows the setting proves nothing: a
    /// commit waits from when the *checkpointer* has read it.
    explicit held_commits(std::string conninfo)
        : conninfo_{std::move(conninfo)}, administrator_{connect()}
    {
        auto const probe = connect();
        set("SET synchronous_standby_names = 'nobody'");
        auto const until = std::chrono::steady_clock::now() + patience;
        run(*probe, "SET synchronous_commit = on");
        while (!waits(*probe)) {
            if (std::chrono::steady_clock::now() > until) {
                release();
                throw std::runtime_error{"no commit waits for a standby"};
            }
        }
        run(*administrator_, "SELECT pg_cancel_backend(" + pid(*probe) + ")");
        finish(*probe);
    }
    held_commits(held_commits const&) = delete;
    held_commits& operator=(held_commits const&) = delete;
    ~held_commits() { release(); }

    /// They go on.
    void release() noexcept
    {
        if (!is_held_) return;
        is_held_ = false;
        try {
            set("RESET synchronous_standby_names");
        } catch (std::exception const& refused) {
            std::fprintf(stderr, "commits still wait: %s\n", refused.what());
        }
    }

private:
    static constexpr std::chrono::seconds patience{30};
    struct closes
    {
        void operator()(PGconn* handle) const noexcept { PQfinish(handle); }
    };
    using connection = std::unique_ptr<PGconn, closes>;

    connection connect() const
    {
        connection made{PQconnectdb(conninfo_.c_str())};
        if (PQstatus(made.get()) != CONNECTION_OK) {
            throw std::runtime_error{PQerrorMessage(made.get())};
        }
        return made;
    }
    static std::string run(PGconn& on, std::string const& sql)
    {
        std::unique_ptr<PGresult, decltype(&PQclear)> const result{PQexec(&on, sql.c_str()),
                                                                   &PQclear};
        auto const status = PQresultStatus(result.get());
        if (status == PGRES_COMMAND_OK) return {};
        if (status != PGRES_TUPLES_OK) throw std::runtime_error{PQerrorMessage(&on)};
        return PQgetvalue(result.get(), 0, 0);
    }
    void set(std::string const& setting)
    {
        run(*administrator_, "ALTER SYSTEM " + setting);
        run(*administrator_, "SELECT pg_reload_conf()");
    }
    static std::string pid(PGconn& of) { return std::to_string(PQbackendPID(&of)); }

    /// Commits something, and tells whether that waits.
    bool waits(PGconn& probe)
    {
        PQsendQuery(&probe, "SELECT pg_logical_emit_message(true, 'probe', '')");
        std::string const sql =
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
            " AND pid = " +
            pid(probe);
        for (;;) {
            if (run(*administrator_, sql) == "1") return true;
            if (PQconsumeInput(&probe) == 0) throw std::runtime_error{PQerrorMessage(&probe)};
            if (PQisBusy(&probe) == 0) break;
            std::this_thread::sleep_for(std::chrono::milliseconds{5});
        }
        finish(probe);
        return false;
    }
    static void finish(PGconn& probe)
    {
        while (PGresult* const result = PQgetResult(&probe))
            PQclear(result);
    }

    std::string const conninfo_;
    connection const administrator_;
    bool is_held_ = true;
};

}  // namespace assent::testing

#endif  // ASSENT_TESTS_SERVERS_HELD_COMMITS_HPP
