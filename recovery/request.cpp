// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "recovery/request.hpp"

#include <algorithm>
#include <charconv>
#include <stdexcept>

namespace assent::recovery {

namespace {

constexpr std::string_view request_head = "assent request 1\n";
constexpr std::string_view answer_head = "assent answer 1\n";

bool is_control(char each) noexcept
{
    constexpr unsigned char blank = 0x20;
    constexpr unsigned char erase = 0x7f;
    auto const byte = static_cast<unsigned char>(each);
    return byte < blank || byte == erase;
}

std::string line(std::string_view name, std::string const& value)
{
    auto text = value;
    std::replace_if(text.begin(), text.end(), is_control, ' ');
    return std::string{name} + ' ' + text + '\n';
}

/// Takes line after line from a text.
class lines
{
public:
    lines(std::string_view text, std::string_view head) : left_(text)
    {
        if (text.size() > request_bytes_max) throw std::invalid_argument{"it is too long"};
        if (!left_.starts_with(head)) {
            throw std::invalid_argument{"it does not begin with \"" +
                                        std::string{head.substr(0, head.size() - 1)} + "\""};
        }
        left_.remove_prefix(head.size());
    }

    std::string text(std::string_view name)
    {
        auto const end = left_.find('\n');
        auto const whole = left_.substr(0, end);
        bool const is_it = end != std::string_view::npos && whole.starts_with(name) &&
                           whole.size() > name.size() && whole[name.size()] == ' ';
        if (!is_it || std::any_of(whole.begin(), whole.end(), is_control)) {
            throw std::invalid_argument{"it has no proper line \"" + std::string{name} + "\""};
        }
        left_.remove_prefix(end + 1);
        return std::string{whole.substr(name.size() + 1)};
    }
    std::int64_t number(std::string_view name, std::int64_t at_most)
    {
        auto const said = text(name);
        std::int64_t value = -1;
        auto const [end, fault] = std::from_chars(said.data(), said.data() + said.size(), value);
        bool const is_whole = fault == std::errc{} && end == said.data() + said.size();
        if (!is_whole || value < 0 || value > at_most) {
            throw std::invalid_argument{"its line \"" + std::string{name} + "\" has no number"};
        }
        return value;
    }
    void end() const
    {
        if (left_ != "end\n") throw std::invalid_argument{"it does not end with \"end\""};
    }

private:
    std::string_view left_;
};

request read_request(std::string_view text)
{
    lines from{text, request_head};
    request what;
    auto const deed = from.text("deed");
    if (deed != "forget" && deed != "resolve") {
        throw std::invalid_argument{"the process that owns the log cannot do that"};
    }
    what.deed = deed == "forget" ? request_deed::forget : request_deed::resolve;
    what.transaction = from.text("transaction");
    what.resource_manager = from.text("resource_manager");
    what.is_commit = from.number("commit", 1) == 1;
    what.seen = from.text("seen");
    what.until_ms = from.number("until", INT64_MAX);
    what.who = from.text("who");
    what.why = from.text("why");
    from.end();
    return what;
}

answer read_answer(std::string_view text)
{
    lines from{text, answer_head};
    answer what;
    auto const status = from.number("status", static_cast<int>(act_status::attention));
    what.status = static_cast<act_status>(status);
    what.has_acted = from.number("acted", 1) == 1;
    what.epoch = static_cast<std::uint32_t>(from.number("epoch", UINT32_MAX));
    what.text = from.text("text");
    from.end();
    return what;
}

}  // namespace

std::string text_of(request const& what)
{
    return std::string{request_head} +
           line("deed", what.deed == request_deed::forget ? "forget" : "resolve") +
           line("transaction", what.transaction) + line("resource_manager", what.resource_manager) +
           line("commit", what.is_commit ? "1" : "0") + line("seen", what.seen) +
           line("until", std::to_string(what.until_ms)) + line("who", what.who) +
           line("why", what.why) + "end\n";
}

std::string text_of(answer const& what)
{
    // Longer ones than fit are the words of a server.
    constexpr std::size_t text_max = request_bytes_max / 2;
    return std::string{answer_head} +
           line("status", std::to_string(static_cast<int>(what.status))) +
           line("acted", what.has_acted ? "1" : "0") + line("epoch", std::to_string(what.epoch)) +
           line("text", what.text.substr(0, text_max)) + "end\n";
}

std::variant<request, std::string> parse_request(std::string_view text)
{
    try {
        return read_request(text);
    } catch (std::invalid_argument const& e) {
        return std::string{e.what()};
    }
}

std::variant<answer, std::string> parse_answer(std::string_view text)
{
    try {
        return read_answer(text);
    } catch (std::invalid_argument const& e) {
        return std::string{e.what()};
    }
}

}  // namespace assent::recovery
