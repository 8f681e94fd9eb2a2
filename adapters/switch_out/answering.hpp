// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// answering.hpp -- how a routine ends: with a number, and words for people.
//
// Nothing that is thrown leaves it, since monitors are written in C.

#ifndef ASSENT_ADAPTERS_SWITCH_OUT_ANSWERING_HPP
#define ASSENT_ADAPTERS_SWITCH_OUT_ANSWERING_HPP

#include <exception>
#include <string>

#include <assent/error.hpp>

#include "adapters/switch_out/resource.hpp"
#include "adapters/switch_out/this_thread.hpp"

namespace assent::switch_out {

/// @param otherwise  what is answered where the database could not be asked, or did not answer.
template <typename Work>
int resource::answered(int rmid, int otherwise, Work work) noexcept
{
    say("");
    int answer = otherwise;
    try {
        answer = work();
    } catch (refusal const& refused) {
        say(refused.why.c_str());
        answer = refused.code;
    } catch (driver_error const& failed) {
        say(failed.what());
        if (otherwise == XAER_RMERR && failed.why() == errc::bad_argument) answer = XAER_INVAL;
    } catch (std::exception const& failed) {
        say(failed.what());
    }
    if (answer == XAER_RMFAIL) leave(rmid);
    return answer;
}

}  // namespace assent::switch_out

#endif  // ASSENT_ADAPTERS_SWITCH_OUT_ANSWERING_HPP
