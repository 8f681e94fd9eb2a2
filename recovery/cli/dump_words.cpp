// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// dump_words.cpp -- a dump for people.
//
//   segment 2, epoch 2, nonce 0000a1b2c3d4, 16 pages, sealed
//     PAGE   LSN  TYPE
//        2     8  decision      asn1l...: commit, 2026-01-01 12:00:00 UTC: to be finished
//                               finished        accounts      asn1l....0001...
//                               to be finished  orders        asn1l....0002...

#include <ostream>

#include "recovery/cli/dump_writer.hpp"
#include "recovery/cli/log_verify.hpp"
#include "recovery/cli/paragraphs.hpp"
#include "recovery/cli/status.hpp"

namespace assent::cli {

namespace {

constexpr int type_width = 12;
constexpr int name_width = 16;

std::string padded(std::string text, std::size_t width)
{
    if (text.size() < width) text.append(width - text.size(), ' ');
    return text;
}

class word_writer final : public dump_writer
{
public:
    word_writer(std::ostream& out, painter const& paint) : out_(out), paint_(paint) {}

    void begin(log::log_inspection const& seen) override
    {
        out_ << paint_(colour::bold, "log") << " " << printable(seen.directory) << "\n";
        if (seen.lock.is_held) {
            out_ << name_of_owner(seen.lock) << " owns it: what comes later is not in here\n";
        }
    }

    void segment(log::segment_inspection const& which, bool is_newest) override
    {
        // Only when something of it is written: a filter may leave nothing.
        title_ = "\n" + paint_(colour::bold, "segment " + std::to_string(which.number));
        if (which.writer) {
            title_ += ", epoch " + std::to_string(which.writer->epoch) + ", nonce " +
                      hex(which.writer->nonce, 12);
        }
        title_ += ", " + count_of(which.file_bytes / log::page_bytes, "page", "pages") + ", " +
                  word_for(which.state);
        if (!is_newest) title_ += "; replaced by the next one, which holds all that counts";
        title_ += "\n  " + paint_(colour::bold, "PAGE         LSN  TYPE") + "\n";
        if (!which.header) {
            note("its header: " + which.header_problem);
        }
    }

    void record(dumped_record const& what) override
    {
        std::string text;
        if (what.is.what) {
            if (auto const id = transaction_of(*what.is.what)) {
                text = std::string{id->text()} + ": ";
            }
            text += in_words(*what.is.what, what.names);
        } else {
            text = "this version does not know what it says";
        }
        if (what.fate != nullptr) {
            text += what.fate->is_complete() ? ": finished" : ": to be finished";
        }
        line(what.is.page, std::to_string(what.is.lsn), name_of_type(what.is.type), text);
        if (what.fate != nullptr) branches(what);
    }

    void damage(std::uint64_t, log::scanned_page const& page) override
    {
        take_title();
        out_ << "  " << number(std::to_string(page.number), 4) << "           -  "
             << paint_(colour::red, "damaged: " + page.why) << "\n";
    }

    void missing(std::uint64_t, log::lsn_range const& which) override
    {
        note("missing: " +
             count_of(static_cast<std::size_t>(which.last - which.first + 1), "record", "records") +
             ", " + range_of(which.first, which.last));
    }

    void end(any_report const& told) override { out_ << attention(told, paint_); }

private:
    static std::string number(std::string const& text, std::size_t width)
    {
        return std::string(width > text.size() ? width - text.size() : 0, ' ') + text;
    }

    void take_title()
    {
        out_ << title_;
        title_.clear();
    }

    void note(std::string const& text)
    {
        take_title();
        out_ << "                    " << paint_(colour::red, text) << "\n";
    }

    void line(std::uint32_t page, std::string const& lsn, std::string const& type,
              std::string const& text)
    {
        take_title();
        out_ << "  " << number(std::to_string(page), 4) << " " << number(lsn, 11) << "  "
             << padded(type, type_width) << "  " << text << "\n";
    }

    void branches(dumped_record const& what)
    {
        auto const& decision = std::get<log::decision_record>(*what.is.what).what;
        std::uint64_t bit = 1;
        for (bqual const& branch : decision.branches) {
            bool const is_finished = (what.fate->finished & bit) != 0;
            auto const name = escaped(name_of(what.names, branch.parts().resource_manager));
            out_ << std::string(34, ' ')
                 << paint_(is_finished ? colour::green : colour::yellow,
                           is_finished ? "finished      " : "to be finished")
                 << "  " << padded(name, name_width) << "  " << xid{decision.global, branch}.text()
                 << "\n";
            bit <<= 1;
        }
    }

    std::ostream& out_;
    painter const paint_;
    std::string title_;
};

}  // namespace

std::unique_ptr<dump_writer> dump_in_words(std::ostream& out, painter const& paint)
{
    return std::make_unique<word_writer>(out, paint);
}

}  // namespace assent::cli
