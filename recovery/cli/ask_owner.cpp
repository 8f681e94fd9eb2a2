// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "recovery/cli/ask_owner.hpp"

#include <chrono>
#include <exception>
#include <optional>
#include <random>
#include <system_error>
#include <thread>
#include <utility>
#include <variant>

#include "log/log_lock.hpp"
#include "recovery/box_file.hpp"
#include "recovery/cli/log_target.hpp"

namespace assent::cli {

namespace {

using recovery::box_directory;
using recovery::box_kind;
using steady = std::chrono::steady_clock;

constexpr std::chrono::milliseconds pause{50};
constexpr std::chrono::milliseconds look_at_owner{500};

std::string fresh_id()
{
    std::random_device random;
    return hex((std::uint64_t{random()} << 32U) | random(), 16);
}

std::string seconds(std::chrono::milliseconds time)
{
    auto const tenths = time.count() / 100;
    return std::to_string(tenths / 10) +
           (tenths % 10 == 0 ? "" : "." + std::to_string(tenths % 10)) + " seconds";
}

/// What the owner answered is no answer.
struct garbled : failure
{
    explicit garbled(std::string const& why)
        : failure(exit_code::attention,
                  "the answer cannot be understood (" + why +
                      "), so it may have been done; assent status shows what is on record")
    {
    }
};

class request_file
{
public:
    explicit request_file(configuration const& from) : box_(from.log_directory), id_(fresh_id())
    {
        if (!box_.is_own()) {
            throw failure{exit_code::failed,
                          "the log's directory belongs to another user, whose process takes no "
                          "request of yours; nothing was done: run this as that user"};
        }
    }

    /// It is there when this returned, and not where it threw.
    void post(recovery::request const& what) { box_.write(box_kind::request, id_, text_of(what)); }

    std::optional<recovery::answer> fetch()
    {
        auto const content = box_.read(box_kind::answer, id_);
        if (!content.is_there) return std::nullopt;
        auto const parsed = recovery::parse_answer(content.text);
        auto const* const fault = std::get_if<std::string>(&parsed);
        if (!content.fault.empty() || fault != nullptr) {
            throw garbled{content.fault.empty() ? *fault : content.fault};
        }
        box_.remove(box_kind::answer, id_);
        return std::get<recovery::answer>(parsed);
    }

    /// @return whether nobody had taken it.
    bool withdraw() { return box_.remove(box_kind::request, id_); }

private:
    box_directory box_;
    std::string id_;
};

/// Whether a process owns the log, looked at now and then.
class owner_watch
{
public:
    explicit owner_watch(configuration const& from)
        : at_(log_target{from.log_directory, from.node_label, from.allow_file_system, from.path})
    {
    }
    bool is_gone()
    {
        if (steady::now() < next_) return false;
        next_ = steady::now() + look_at_owner;
        return !log::look_at_lock(at_.files()).is_held;
    }

private:
    opened_target at_;
    steady::time_point next_ = steady::now() + look_at_owner;
};

/// @return null: the time is over, or the owner `is_gone`.
std::optional<recovery::answer> poll(request_file& request, owner_watch& watch,
                                     act_options const& how, bool& is_gone)
{
    auto const until = steady::now() + how.owner_wait;
    bool is_over = false;
    while (!is_over) {
        // Whatever it did before it went, and before the time was over, is fetched.
        is_gone = watch.is_gone();
        is_over = is_gone || steady::now() >= until || (how.is_interrupted && how.is_interrupted());
        if (auto answered = request.fetch()) return answered;
        if (!is_over) std::this_thread::sleep_for(pause);
    }
    return std::nullopt;
}

/// Nobody will hear the answer: so nobody may begin any more.
[[noreturn]] void withdraw_because(request_file& request, std::string const& owner,
                                   std::string const& why)
{
    bool is_withdrawn = false;
    std::string besides;
    try {
        is_withdrawn = request.withdraw();
    } catch (std::system_error const& e) {
        besides = std::string{", and the request cannot be withdrawn: "} + e.what();
    }
    auto const text = "the answer of " + owner + " cannot be waited for: " + why + besides;
    if (is_withdrawn) {
        throw failure{exit_code::failed,
                      text + "; the request was withdrawn, and nothing was done: run this again"};
    }
    throw failure{exit_code::attention,
                  text +
                      "; it may have been done, or may yet be; assent show and assent status "
                      "say what is on record"};
}

recovery::answer wait_for_answer(request_file& request, owner_watch& watch, act_options const& how,
                                 std::string const& owner)
{
    bool is_gone = false;
    try {
        how.step("asked");
        if (auto const answered = poll(request, watch, how, is_gone)) return *answered;
    } catch (garbled const&) {
        throw;
    } catch (std::exception const& e) {
        withdraw_because(request, owner, e.what());
    }
    if (request.withdraw()) {
        if (is_gone) {
            throw failure{exit_code::failed, owner +
                                                 " has ended; the request was withdrawn, and "
                                                 "nothing was done: run this again"};
        }
        throw failure{exit_code::owned,
                      owner +
                          " owns the log and did not take the request; it was withdrawn, and "
                          "nothing was done (perhaps the application does not have that resource "
                          "manager, or has not reached it yet; a version that takes no requests "
                          "has to be stopped first)"};
    }
    if (auto const answered = request.fetch()) return *answered;
    throw failure{exit_code::attention,
                  owner + " had begun with the request and did not answer" +
                      (is_gone ? " before it ended" : " in time") +
                      ", so it may have been done, or may yet be; assent show and assent status "
                      "say what is on record"};
}

recovery::answer ask(configuration const& from, recovery::request const& what,
                     act_options const& how, std::string const& owner)
{
    // What may fail is made before anything is asked.
    owner_watch watch{from};
    std::optional<request_file> request;
    try {
        request.emplace(from);
        request->post(what);
    } catch (std::system_error const& e) {
        throw failure{exit_code::failed,
                      std::string{"the request failed in the log's directory: "} + e.what() +
                          "; nothing was done"};
    }
    try {
        return wait_for_answer(*request, watch, how, owner);
    } catch (failure const&) {
        throw;  // it says what became of the request
    } catch (std::exception const& e) {
        withdraw_because(*request, owner, e.what());
    }
}

}  // namespace

void plan_to_ask(act_report& told, std::string const& owner, act_options const& how)
{
    told.plan.insert(told.plan.begin(), owner +
                                            " owns the log: it is asked to do what follows, and "
                                            "has " +
                                            seconds(how.owner_wait) + " to answer");
}

void ask_owner(act_report& told, configuration const& from, recovery::request what,
               act_options const& how, std::string const& owner)
{
    what.who = how.who;
    what.why = how.why();
    what.until_ms = unix_ms_now() + how.owner_wait.count();
    if (how.progress) how.progress(owner + " is asked, and has " + seconds(how.owner_wait));
    auto const answered = ask(from, what, how, owner);
    told.has_acted = answered.has_acted;
    told.epoch = answered.epoch;
    if (answered.status == recovery::act_status::done) {
        told.done = answered.text;
    } else if (answered.has_acted) {
        told.raise(code_of(answered.status), answered.text);
    } else {
        throw failure{code_of(answered.status), answered.text};
    }
}

}  // namespace assent::cli
