// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// fake_broker.hpp -- a broker in the process that holds halves back, and does to requests what a
// network and a broker may do to them.
//
//   request --lost------------------------> nothing happens, the caller hears nothing
//           --carried out, reply lost-----> it happened, the caller hears nothing
//           --late------------------------> the caller hears nothing; it happens at arrive()
//           --held------------------------> so does that, and the call returns no earlier
//           --twice-----------------------> it is carried out again behind itself
//           --refused---------------------> nothing happens, and the caller is told
//
// What happens to a call is scripted, one after another; or it is diced by the name and the number
// of the call: the same seed does the same to the same calls, in whichever order threads make them.
//
// Thread safety: every member may be called from several threads at once.

#ifndef ASSENT_TESTS_UNIT_HALF_FAKE_BROKER_HPP
#define ASSENT_TESTS_UNIT_HALF_FAKE_BROKER_HPP

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <assent/half_message.hpp>
#include <assent/outcome.hpp>

namespace half_test {

namespace half = assent::half;
using assent::deadline;
using assent::xid;

enum class request : std::uint8_t { half = 1, release, drop, list };
enum class fate : std::uint8_t { good = 1, lost, reply_lost, late, held, twice, refused };

class fake_broker final : public half::broker
{
public:
    explicit fake_broker(std::string identity = "fake-broker") : identity_(std::move(identity)) {}

    void half(xid const& name, half::message const& what, deadline until) override;
    bool release(xid const& name, deadline until) override;
    bool drop(xid const& name, deadline until) override;
    half::listing list(deadline until) override;

    /// What happens to the next `count` calls of that kind.
    void script(request of, fate what, int count = 1);
    /// Nothing is scripted any more.
    void clear();
    /// How many scripted ones were never met.
    std::size_t pending() const;
    /// From now on three in ten calls meet something, by the seed; 0: none does.
    void dice(std::uint64_t seed);

    /// Nobody is answered, and nothing happens, until it is up again.
    void go_down();
    void come_up();
    /// What was late happens now.
    void arrive();

    /// Asks about every half, as long as any is there, and does what it is told.
    void ask_back(std::function<assent::known_outcome(std::string const& name)> const& ask);
    /// The next call of that kind calls this first, on its own thread.
    void on_next(request of, std::function<void(std::string const& name)> call);

    /// Each call of that kind does, until it is null again.
    void on_each(request of, std::function<void(std::string const& name)> call);

    /// A half that nobody here has sent.
    void store(std::string const& name, std::string const& body);
    /// By whoever has sent it.
    void release_by_hand(std::string const& name);
    /// The half goes without anybody having been told.
    void lose(std::string const& name);

    std::vector<std::string> halves() const;
    /// The bodies that receivers were shown, in that order.
    std::vector<std::string> shown() const;
    int shown_of(std::string const& body) const;
    int calls_of(request what) const;
    /// What no broker may be asked for, or show: in words.
    std::vector<std::string> violations() const;

private:
    struct late_request
    {
        request what;
        std::string name;
        half::message content;
    };

    fate enter(request what, std::string const& name);
    fate diced(request what, std::string const& name, int nth) const;
    bool carry_out(late_request const& what);
    bool serve(late_request const& what);

    std::string const identity_;

    mutable std::mutex mutex_;  // guards what follows
    std::map<std::string, half::message> halves_;
    std::vector<half::message> shown_;
    std::map<std::string, int> was_;  // by name: 1 shown, 2 dropped
    std::vector<std::string> violations_;
    std::map<request, std::deque<fate>> script_;
    std::map<request, std::function<void(std::string const&)>> hooks_;
    std::map<request, std::function<void(std::string const&)>> each_;
    std::map<std::pair<request, std::string>, int> calls_;
    std::vector<late_request> late_;
    std::condition_variable arrived_;
    int arrivals_ = 0;
    std::uint64_t seed_ = 0;
    bool is_down_ = false;
};

}  // namespace half_test

#endif  // ASSENT_TESTS_UNIT_HALF_FAKE_BROKER_HPP
