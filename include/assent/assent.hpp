// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// assent.hpp -- includes what every user needs, except the databases: add assent/postgresql.hpp,
// mysql.hpp or odbc.hpp.

#ifndef ASSENT_ASSENT_HPP
#define ASSENT_ASSENT_HPP

#include <assent/enlist_options.hpp>
#include <assent/error.hpp>
#include <assent/export.hpp>
#include <assent/half_message.hpp>
#include <assent/message.hpp>
#include <assent/metrics.hpp>
#include <assent/observer.hpp>
#include <assent/options.hpp>
#include <assent/outcome.hpp>
#include <assent/resource_manager.hpp>
#include <assent/scopes.hpp>
#include <assent/sql_session.hpp>
#include <assent/synchronization.hpp>
#include <assent/tcc.hpp>
#include <assent/transaction.hpp>
#include <assent/transaction_manager.hpp>
#include <assent/user_transaction.hpp>
#include <assent/xa.hpp>
#include <assent/xid.hpp>

#endif  // ASSENT_ASSENT_HPP
