// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// dump_writer.hpp -- how a dump is written: lines for people, or one JSON object, piece by piece.

#ifndef ASSENT_RECOVERY_CLI_DUMP_WRITER_HPP
#define ASSENT_RECOVERY_CLI_DUMP_WRITER_HPP

#include <iosfwd>
#include <memory>
#include <string>

#include "recovery/cli/log_records.hpp"
#include "recovery/cli/report.hpp"
#include "recovery/cli/text.hpp"
#include "recovery/log_tools/log_inspection.hpp"

namespace assent::cli {

struct dumped_record
{
    std::uint64_t segment = 0;
    log::scanned_record const& is;
    log::decision_window::fate const* fate;  ///< of a decision: as of the end of its segment
    bound_names const& names;
};

class dump_writer
{
public:
    virtual ~dump_writer() = default;

    virtual void begin(log::log_inspection const& seen) = 0;
    virtual void segment(log::segment_inspection const& which, bool is_newest) = 0;
    virtual void record(dumped_record const& what) = 0;
    virtual void damage(std::uint64_t segment, log::scanned_page const& page) = 0;
    virtual void missing(std::uint64_t segment, log::lsn_range const& which) = 0;
    virtual void end(any_report const& told) = 0;
};

std::unique_ptr<dump_writer> dump_in_words(std::ostream& out, painter const& paint);
std::unique_ptr<dump_writer> dump_in_json(std::ostream& out);

}  // namespace assent::cli

#endif  // ASSENT_RECOVERY_CLI_DUMP_WRITER_HPP
