// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// client.hpp -- unixODBC's headers, and the handles that must not leak.

#ifndef ASSENT_ADAPTERS_ODBC_CLIENT_HPP
#define ASSENT_ADAPTERS_ODBC_CLIENT_HPP

#include <sql.h>
#include <sqlext.h>

#include <string>

namespace assent::odbc_adapter {

/// A handle of any kind, freed at the end of its scope.
class scoped_handle
{
public:
    /// Empty, with get() == SQL_NULL_HANDLE, when the driver manager refuses.
    scoped_handle(SQLSMALLINT kind, SQLHANDLE parent) noexcept : kind_(kind)
    {
        if (!SQL_SUCCEEDED(SQLAllocHandle(kind, parent, &raw_))) raw_ = SQL_NULL_HANDLE;
    }
    scoped_handle(scoped_handle const&) = delete;
    scoped_handle& operator=(scoped_handle const&) = delete;
    ~scoped_handle()
    {
        if (raw_ != SQL_NULL_HANDLE) SQLFreeHandle(kind_, raw_);
    }

    SQLHANDLE get() const noexcept { return raw_; }
    /// Frees nothing: what it belongs to may be gone.
    void forget() noexcept { raw_ = SQL_NULL_HANDLE; }

private:
    SQLSMALLINT kind_;
    SQLHANDLE raw_ = SQL_NULL_HANDLE;
};

/// ODBC takes strings that it does not change by pointers to non-const.
inline SQLCHAR* characters(std::string const& text) noexcept
{
    return reinterpret_cast<SQLCHAR*>(const_cast<char*>(text.c_str()));
}

}  // namespace assent::odbc_adapter

#endif  // ASSENT_ADAPTERS_ODBC_CLIENT_HPP
