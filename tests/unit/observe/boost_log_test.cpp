// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// boost_log_test.cpp -- events as they arrive in a sink of Boost.Log.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include <boost/log/core.hpp>
#include <boost/log/sinks/sync_frontend.hpp>
#include <boost/log/sinks/text_ostream_backend.hpp>
#include <boost/log/trivial.hpp>
#include <boost/smart_ptr/make_shared.hpp>
#include <boost/smart_ptr/shared_ptr.hpp>

#include <assent/boost_log.hpp>

namespace {

namespace logging = boost::log;

/// Everything that is logged while it lives, one string a record.
class log_sink
{
public:
    log_sink()
    {
        auto const backend = boost::make_shared<logging::sinks::text_ostream_backend>();
        backend->add_stream(text_);
        sink_ = boost::make_shared<frontend>(backend);
        sink_->set_formatter(
            [](logging::record_view const& seen, logging::formatting_ostream& out) {
                out << seen[logging::trivial::severity] << ' '
                    << logging::extract<std::string>("Channel", seen) << ' '
                    << seen[logging::expressions::smessage];
            });
        logging::core::get()->add_sink(sink_);
    }
    ~log_sink() { logging::core::get()->remove_sink(sink_); }

    std::vector<std::string> lines()
    {
        sink_->flush();
        std::istringstream in{text_->str()};
        std::vector<std::string> all;
        for (std::string line; std::getline(in, line);)
            all.push_back(line);
        return all;
    }

private:
    using frontend = logging::sinks::synchronous_sink<logging::sinks::text_ostream_backend>;

    boost::shared_ptr<std::ostringstream> text_ = boost::make_shared<std::ostringstream>();
    boost::shared_ptr<frontend> sink_;
};

TEST(BoostLog, WritesNameFieldsAndWords)
{
    log_sink sink;
    auto const to = assent::make_boost_log_observer();

    to->on({assent::severity::alarm, "branch.heuristic", "orders", "asn1", "hazard"});
    to->on({assent::severity::debug, "log.opened", {}, {}, {}});

    EXPECT_THAT(sink.lines(),
                ::testing::ElementsAre(
                    "fatal assent branch.heuristic resource_manager=orders id=asn1 text=\"hazard\"",
                    "debug assent log.opened"));
}

TEST(BoostLog, MapsEachLevel)
{
    log_sink sink;
    auto const to = assent::make_boost_log_observer();
    using assent::severity;

    for (auto const level : {severity::debug, severity::info, severity::warning, severity::alarm})
        to->on({level, "e", {}, {}, {}});

    EXPECT_THAT(sink.lines(), ::testing::ElementsAre("debug assent e", "info assent e",
                                                     "warning assent e", "fatal assent e"));
}

TEST(BoostLog, AServersWordsCannotForgeARecord)
{
    log_sink sink;

    assent::make_boost_log_observer()->on(
        {assent::severity::warning, "e", {}, {}, "no\n2026 fatal assent \"all is lost\" \\"});

    EXPECT_THAT(sink.lines(), ::testing::ElementsAre("warning assent e text=\"no 2026 fatal assent "
                                                     "\\\"all is lost\\\" \\\\\""));
}

}  // namespace
