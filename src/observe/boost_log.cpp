// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// boost_log.cpp -- events as Boost.Log records: channel "assent", the event's name first.
//
//   branch.heuristic resource_manager=orders id=asn1l0000... text="heuristic rollback: ..."
//
// One event is one line, whatever a server wrote into its words.

#include <assent/boost_log.hpp>

#include <string>
#include <string_view>

#include <boost/log/sources/record_ostream.hpp>
#include <boost/log/sources/severity_channel_logger.hpp>
#include <boost/log/trivial.hpp>

namespace assent {
inline namespace v0 {

namespace {

namespace trivial = boost::log::trivial;

trivial::severity_level level_of(severity level) noexcept
{
    switch (level) {
        case severity::debug:
            return trivial::debug;
        case severity::info:
            return trivial::info;
        case severity::warning:
            return trivial::warning;
        case severity::alarm:
            return trivial::fatal;
    }
    return trivial::fatal;
}

/// Without line breaks, and with a mark before quotes, so that a server cannot forge a record.
std::string in_quotes(std::string_view text)
{
    std::string quoted{'"'};
    for (char const c : text) {
        if (c == '"' || c == '\\') quoted += '\\';
        bool const is_control = static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
        quoted += is_control ? ' ' : c;
    }
    return quoted + '"';
}

class boost_log_observer final : public observer
{
public:
    void on(event const& what) override
    {
        auto record = logger_.open_record(boost::log::keywords::severity = level_of(what.level));
        if (!record) return;
        boost::log::record_ostream out{record};
        out << what.name;
        if (!what.resource_manager.empty()) out << " resource_manager=" << what.resource_manager;
        if (!what.id.empty()) out << " id=" << what.id;
        if (!what.text.empty()) out << " text=" << in_quotes(what.text);
        out.flush();
        logger_.push_record(std::move(record));
    }

private:
    boost::log::sources::severity_channel_logger_mt<trivial::severity_level> logger_{
        boost::log::keywords::channel = "assent"};
};

}  // namespace

std::shared_ptr<observer> make_boost_log_observer()
{
    return std::make_shared<boost_log_observer>();
}

}  // namespace v0
}  // namespace assent
