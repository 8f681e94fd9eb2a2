// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "adapters/postgresql/question.hpp"

#include <optional>
#include <utility>

#include "adapters/postgresql/error.hpp"

namespace assent::postgresql_adapter {

void question::send(std::string const& sql, std::string const& doing)
{
    if (connection_.send(sql)) return;
    std::string const why = connection_.why();
    connection_.poison();
    connection_.settle();
    throw driver_error(doing + ": " + why, {}, 0, true);
}

table question::hear(std::string const& doing)
{
    // Whatever leaves this function early leaves an answer on the wire.
    struct stop_on_error
    {
        wire& which;
        bool is_whole = false;
        ~stop_on_error()
        {
            if (!is_whole) which.poison();
            which.settle();
        }
    } stop{connection_};

    table rows;
    result_ptr failure;
    for (;;) {
        result_ptr result;
        switch (connection_.next(until_, result)) {
            case wire::event::silence:
                throw driver_error(doing + ": the server did not answer in time", {}, 0, true);
            case wire::event::broken:
                throw driver_error(doing + ": " + connection_.why(), {}, 0, true);
            case wire::event::end:
                stop.is_whole = true;
                if (failure == nullptr) return rows;
                throw driver_error(doing + ": " + text_of(failure.get()),
                                   std::string{sqlstate_of(failure.get())});
            case wire::event::result:
                break;
        }
        if (PQresultStatus(result.get()) == PGRES_COMMAND_OK) continue;
        if (PQresultStatus(result.get()) != PGRES_TUPLES_OK) {
            if (is_fatal(result.get())) {
                throw driver_error(doing + ": " + text_of(result.get()),
                                   std::string{sqlstate_of(result.get())}, 0, true);
            }
            failure = std::move(result);
            continue;
        }
        for (int r = 0; r < PQntuples(result.get()); ++r) {
            row values;
            for (int i = 0; i < PQnfields(result.get()); ++i) {
                bool const is_null = PQgetisnull(result.get(), r, i) != 0;
                values.push_back(is_null ? std::nullopt
                                         : std::optional<std::string>{
                                               std::in_place, PQgetvalue(result.get(), r, i)});
            }
            rows.push_back(std::move(values));
        }
    }
}

}  // namespace assent::postgresql_adapter
