// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// by_hand.cpp -- finishes what is listed, as somebody does who knows what to do with all of it.

#include <atomic>
#include <memory>
#include <stdexcept>
#include <thread>
#include <vector>

#include "accounts_session.hpp"
#include "adapters/dialects/mysql/xid_text.hpp"
#include "bench.hpp"
#include "finishing.hpp"
#include "orders_session.hpp"

namespace assent::bench {

namespace {

using texts = std::vector<std::string>;

texts list(accounts_session& on)
{
    std::unique_ptr<PGresult, decltype(&PQclear)> const rows{
        PQexec(on.handle(), "select gid from pg_prepared_xacts"), &PQclear};
    texts all;
    for (int i = 0; i < PQntuples(rows.get()); ++i)
        all.push_back('\'' + std::string(PQgetvalue(rows.get(), i, 0)) + '\'');
    return all;
}

texts list(orders_session& on)
{
    on.send("xa recover");
    if (mysql_read_query_result(on.handle()) != 0) throw std::runtime_error("mariadb: xa recover");
    std::unique_ptr<MYSQL_RES, decltype(&mysql_free_result)> const rows{
        mysql_store_result(on.handle()), &mysql_free_result};
    texts all;
    while (MYSQL_ROW const row = mysql_fetch_row(rows.get())) {
        auto const id = mysql_dialect::read_listed(row[0], row[1], row[2], row[3]);
        if (id) all.push_back(mysql_dialect::render(*id).value());
    }
    return all;
}

/// Sessions of one kind, and what they share.
template <class Session>
struct party
{
    template <class Where>
    party(Where const& where, std::size_t connections)
    {
        while (sessions.size() < connections)
            sessions.push_back(std::make_unique<Session>(where));
    }

    void finish(std::size_t of, std::string const& verb, clock::time_point begin)
    {
        for (auto i = next++; i < names.size(); i = next++) {
            sessions[of]->run(verb + names[i]);
            double const now = seconds_since(begin);
            if (i == 0) said.first_s = now;
            double last = last_s.load();
            while (last < now && !last_s.compare_exchange_weak(last, now)) {
            }
        }
    }

    finishing told()
    {
        said.count = static_cast<double>(names.size());
        said.last_s = last_s;
        return said;
    }

    std::vector<std::unique_ptr<Session>> sessions;
    texts names;
    std::atomic<std::size_t> next{0};
    std::atomic<double> last_s{0};
    finishing said;
};

}  // namespace

finished finish_by_hand(addresses const& where, std::size_t count, ending how,
                        std::size_t connections, limits::duration orders_later)
{
    party<accounts_session> accounts(where.accounts, connections);
    party<orders_session> orders(where.orders, connections);
    bool const is_commit = how == ending::commit;
    double const cpu = cpu_seconds();
    auto const begin = clock::now();
    accounts.names = list(*accounts.sessions.front());
    orders.names = list(*orders.sessions.front());
    if (accounts.names.size() != count || orders.names.size() != count) {
        throw std::runtime_error("another number of branches is listed than was prepared");
    }
    on_threads(2 * connections, [&](std::size_t thread) {
        auto const of = thread / 2;
        if (thread % 2 == 0) {
            accounts.finish(of, is_commit ? "COMMIT PREPARED " : "ROLLBACK PREPARED ", begin);
        } else {
            std::this_thread::sleep_until(begin + orders_later);
            orders.finish(of, is_commit ? "XA COMMIT " : "XA ROLLBACK ", begin);
        }
    });
    finished all{accounts.told(), orders.told(), cpu_seconds() - cpu, std::nullopt};
    return all;
}

}  // namespace assent::bench
