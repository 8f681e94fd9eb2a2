// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// examination.hpp -- what a MySQL or MariaDB, its settings and our account are fit for.

#ifndef ASSENT_ADAPTERS_DIALECTS_MYSQL_EXAMINATION_HPP
#define ASSENT_ADAPTERS_DIALECTS_MYSQL_EXAMINATION_HPP

#include <assent/examination.hpp>

#include "adapters/dialects/checks.hpp"
#include "adapters/dialects/mysql/question.hpp"

namespace assent::mysql_dialect {

struct examination_settings
{
    bool allow_non_durable = false;
    /// Listing branches makes nothing (by ODBC, a procedure may have to be made for it first).
    bool may_list = true;
    dialects::client_library client;
};

/// Reads.  A force is measured by a row that is inserted and deleted in one transaction, where a
/// table of ours is there for it.
examination examine(question& q, examination_settings const& chosen);

}  // namespace assent::mysql_dialect

#endif  // ASSENT_ADAPTERS_DIALECTS_MYSQL_EXAMINATION_HPP
