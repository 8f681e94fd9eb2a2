// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "stock.hpp"

#include <cstring>
#include <stdexcept>

namespace {

void require(int answer, char const* what)
{
    if (answer != 0) throw std::runtime_error{std::string{what} + ": " + ::db_strerror(answer)};
}

DBT entry(std::string const& bytes)
{
    DBT made{};
    made.data = const_cast<char*>(bytes.data());
    made.size = static_cast<u_int32_t>(bytes.size());
    return made;
}

}  // namespace

stock_table::stock_table()
{
    require(::db_create(&handle_, nullptr, DB_XA_CREATE), "db_create");
    require(handle_->open(handle_, nullptr, "stock.db", nullptr, DB_BTREE,
                          DB_AUTO_COMMIT | DB_CREATE | DB_THREAD, 0644),
            "stock.db");
}

stock_table::~stock_table()
{
    handle_->close(handle_, 0);
}

long stock_table::count(std::string const& thing)
{
    char room[32] = {};
    DBT key = entry(thing);
    DBT value{};
    value.data = room;
    value.ulen = sizeof room - 1;
    value.flags = DB_DBT_USERMEM;
    int const answer = handle_->get(handle_, nullptr, &key, &value, 0);
    if (answer == DB_NOTFOUND) return 0;
    require(answer, "get");
    return std::stol(std::string(room, value.size));
}

void stock_table::add(std::string const& thing, long delta)
{
    std::string const text = std::to_string(count(thing) + delta);
    DBT key = entry(thing);
    DBT value = entry(text);
    require(handle_->put(handle_, nullptr, &key, &value, 0), "put");
}
