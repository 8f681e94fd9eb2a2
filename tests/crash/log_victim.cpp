// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// log_victim.cpp -- opens a decision log, decides, rolls segments and closes, and says on standard
// output what the log answered, while somebody else makes its system calls fail.
//
//   assent_log_victim DIRECTORY direct|cached FIRST LAST        decides sequences FIRST to LAST

#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <utility>

#include "log/posix_file_layer.hpp"
#include "tests/unit/log/forwarding_file_layer.hpp"
#include "tests/unit/log/log_fixture.hpp"

namespace {

using namespace assent;
using namespace assent::testing;

/// As on a file system that takes no O_DIRECT.
class cached_file_layer final : public forwarding_file_layer
{
public:
    using forwarding_file_layer::forwarding_file_layer;

    long open(std::string const& name, log::open_mode mode) noexcept override
    {
        return target().open(name,
                             mode == log::open_mode::force ? log::open_mode::read_write : mode);
    }
};

char const* word_for(ports::force_result const& answer)
{
    if (is_durable(answer)) return "durable ";
    return failure_of(answer) == ports::force_failure::kind::in_doubt ? "in_doubt "
                                                                      : "not_submitted ";
}

}  // namespace

int main(int count, char** words)
{
    if (count != 5) return 2;
    std::shared_ptr<log::file_layer> files = std::make_shared<log::posix_file_layer>(words[1]);
    if (words[2] == std::string{"cached"}) {
        files = std::make_shared<cached_file_layer>(std::move(files));
    }
    auto options = repeatable(std::move(files));
    options.segment_bytes = log::segment_pages_min * log::page_bytes;
    options.random = nullptr;
    try {
        log::file_log log("victim", std::move(options));
        std::cout << "opened " << log.state().medium << std::endl;
        for (auto sequence = std::strtoull(words[3], nullptr, 10);
             sequence <= std::strtoull(words[4], nullptr, 10); ++sequence) {
            auto const what = decision_of(log, sequence);
            std::cout << word_for(log.force(what, far_away())) << what.global.text() << std::endl;
            if (sequence % 2 == 0) continue;
            finish(log, what);
            log.raise_horizon(1, {log.current().epoch, sequence});
        }
    } catch (log::log_error const& refused) {
        std::cout << "refused " << refused.what() << std::endl;
    }
    std::cout << "ended" << std::endl;
    return 0;
}
