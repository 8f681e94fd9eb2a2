// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "adapters/dialects/mysql/error.hpp"

namespace assent::mysql_dialect {

namespace {

session_state state_word(std::string_view text) noexcept
{
    // NON-EXISTING and ROLLBACK ONLY first: no other word is part of them.
    if (text.find("NON-EXISTING") != text.npos) return session_state::non_existing;
    if (text.find("ROLLBACK ONLY") != text.npos) return session_state::rollback_only;
    if (text.find("PREPARED") != text.npos) return session_state::prepared;
    if (text.find("ACTIVE") != text.npos) return session_state::active;
    if (text.find("IDLE") != text.npos) return session_state::idle;
    return session_state::unnamed;
}

struct meaning
{
    xa_code code;
    reply_detail detail = reply_detail::none;
};

meaning meaning_of(unsigned number, verb v, bool is_owner) noexcept
{
    bool const is_second_phase = v == verb::commit || v == verb::rollback;
    switch (number) {
        case 1397:
            return {xa_code::nota};
        case 1398:
            return {xa_code::inval};
        case 1400:
            return {xa_code::outside};
        case 1401:
            // XA lets RMERR at commit mean "rolled back"; this server means "I did not get the
            // lock, ask again", and keeps the branch.
            if (v == verb::commit) return {xa_code::retry, reply_detail::busy};
            if (v == verb::commit_one_phase) return {xa_code::proto};
            return {xa_code::rmerr};
        case 3:     // EE_WRITE, as the binary log's writer says it (MariaDB)
        case 1026:  // ER_ERROR_ON_WRITE
            // The binary log could not be written, and the server has rolled the branch back,
            // prepared as it was: a later scan must say so.
            if (v == verb::commit) return {xa_code::nota, reply_detail::may_be_undone};
            return {xa_code::proto};
        case 1402:
            if (is_second_phase && !is_owner) {
                return {xa_code::rbrollback, reply_detail::read_only_owner_left};
            }
            return {xa_code::rbrollback};
        case 1399:  // whichever state it names, the request was out of place
            return {xa_code::proto};
        case 1440:
            return {xa_code::dupid};
        case 1613:
            return {xa_code::rbtimeout};
        case 1614:
            return {xa_code::rbdeadlock};
        case 1205:
        case 3197:  // ER_XA_RETRY (MySQL), as it stands below 1205 in the diagnostics
            if (is_second_phase) return {xa_code::retry, reply_detail::busy};
            return {xa_code::proto};
        case 1047:  // Galera: not ready
        case 1290:  // the server runs read-only
        case 1820:  // the account's password has expired (MySQL)
        case 1836:
            return {xa_code::rmfail};
        default:
            break;
    }
    if (is_connection_lost(number)) return {xa_code::rmfail, reply_detail::reply_lost};
    if (is_interrupted(number)) return {xa_code::rmfail};
    return {xa_code::proto};
}

}  // namespace

session_state state_in(answer const& said) noexcept
{
    return said.code == code::xaer_rmfail ? state_word(said.text) : session_state::unnamed;
}

bool ends_session(unsigned number) noexcept
{
    switch (number) {
        case 1053:  // server shutdown
        case 1152:  // aborted connection
        case 1158:  // network read error, as the server saw it
        case 1159:
        case 1160:
        case 1161:
        case 1927:  // connection was killed (MariaDB)
        case 3032:  // the server went offline for all but administrators (MySQL)
        case 3168:  // the server ends sessions (MySQL)
        case 3169:  // session was killed (MySQL)
        case 4031:  // idle for too long (MySQL)
            return true;
        default:
            return false;
    }
}

bool is_connection_lost(unsigned number) noexcept
{
    return ends_session(number) || (number >= 2000 && number <= 2999) ||
           (number >= 5000 && number <= 5999);
}

answer out_of_step()
{
    answer said;
    said.code = code::out_of_sync;
    said.sqlstate = "HY000";
    said.text = "the server's answer does not belong to the request";
    return said;
}

bool is_interrupted(unsigned number) noexcept
{
    return number == code::query_interrupted || number == 1969 || number == 3024;
}

bool is_rollback_only(answer const& said) noexcept
{
    switch (said.code) {
        case code::xa_rbrollback:
        case code::xa_rbtimeout:
        case code::xa_rbdeadlock:
            return true;
        default:
            return state_in(said) == session_state::rollback_only;
    }
}

bool is_of_branches(answer const& said) noexcept
{
    return (said.code >= code::xaer_nota && said.code <= code::xa_rbrollback) ||
           is_rollback_only(said) || is_interrupted(said.code);
}

reply to_reply(answer const& said, verb v, bool is_owner)
{
    reply told;
    if (said.code == 0) return told;
    meaning const means = meaning_of(said.code, v, is_owner);
    told.code = means.code;
    told.detail = means.detail;
    told.native_code = static_cast<int>(said.code);
    told.sqlstate = said.sqlstate;
    told.text = said.text;
    return told;
}

xa_code rollback_code(answer const& cause) noexcept
{
    switch (cause.code) {
        case code::xa_rbtimeout:
            return xa_code::rbtimeout;
        case code::xa_rbdeadlock:
        case code::deadlock:
            return xa_code::rbdeadlock;
        case code::lock_wait_timeout:
            return xa_code::rbtransient;
        case code::duplicate_key:
            return xa_code::rbintegrity;
        case code::xa_rbrollback:
        case code::xaer_rmfail:  // ROLLBACK ONLY: MariaDB no longer says what the reason was
            return xa_code::rbrollback;
        default:
            return xa_code::rbother;
    }
}

bool is_retryable(unsigned number, std::string_view text) noexcept
{
    switch (number) {
        case 1020:  // the row changed since the snapshot (MariaDB, innodb_snapshot_isolation)
        case code::lock_wait_timeout:
        case code::deadlock:
        case code::xa_rbtimeout:
        case code::xa_rbdeadlock:
            return true;
        case code::xaer_rmfail:
            // What every statement of a deadlock's victim is told, on MariaDB.
            return state_word(text) == session_state::rollback_only;
        default:
            return false;
    }
}

}  // namespace assent::mysql_dialect
