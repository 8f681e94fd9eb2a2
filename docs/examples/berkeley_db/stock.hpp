// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// stock.hpp -- how many there are of each thing, in a Berkeley DB table.

#ifndef ASSENT_DOCS_EXAMPLES_BERKELEY_DB_STOCK_HPP
#define ASSENT_DOCS_EXAMPLES_BERKELEY_DB_STOCK_HPP

#include <db.h>

#include <string>

/// The handle belongs to the home that the process has open by the switch, and is closed before it.
class stock_table
{
public:
    /// @pre  the calling thread has opened the switch, and is at work on no branch.
    stock_table();
    ~stock_table();
    stock_table(stock_table const&) = delete;
    stock_table& operator=(stock_table const&) = delete;

    /// In the branch of the calling thread, if it has one.
    /// @throws std::runtime_error  Berkeley DB refused: the transaction must be rolled back.
    long count(std::string const& thing);
    /// The same.
    void add(std::string const& thing, long delta);

private:
    DB* handle_ = nullptr;
};

#endif  // ASSENT_DOCS_EXAMPLES_BERKELEY_DB_STOCK_HPP
