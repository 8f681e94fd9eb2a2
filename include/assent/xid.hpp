// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// xid.hpp -- who owns a branch, readable from the branch's name alone.
//
//   gtrid, 57 bytes:  asn1 l 0000 0123456789abcdef 00000007 00a1b2c3d4e5 00000000002a
//                     magic|place|rm |node            |epoch   |nonce       |sequence
//   bqual, 24 bytes:  0001 0001 00000000000004d2
//                     rm  |branch|server session
//
// Both are lower-case hexadecimal ASCII of fixed width: they contain no NUL byte (MySQL 8.0
// compares xids with strncmp) and nothing to escape, and can be read where a server has lost the
// lengths.  The layout is frozen: a branch written by version 1 is understood for ever.

#ifndef ASSENT_XID_HPP
#define ASSENT_XID_HPP

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include <assent/export.hpp>

namespace assent {
inline namespace v0 {

/// Where the decision of a global transaction lives.  A scanner that cannot read that place
/// waits; it never presumes abort.
enum class decision_place : char {
    log = 'l',         ///< in this node's decision log
    commit_row = 'r',  ///< in a row of resource manager `place_resource_manager`
    external = 'x',    ///< in an external, replicated store
};

/// The format id of every xid on MySQL and MariaDB: the server's default, because xids of mixed
/// format ids in one binary log can lose an acknowledged prepared branch in crash recovery.
inline constexpr long mysql_format_id = 1;

/// The format id of our xids everywhere else ("ASN1").
inline constexpr long assent_format_id = 0x41534e31;

/// A global transaction identifier (XA's gtrid).
///
/// Thread safety: a value; distinct objects safe.
class ASSENT_EXPORT gtrid
{
public:
    static constexpr std::size_t length = 57;  ///< in bytes, always

    /// What a gtrid says.
    struct fields
    {
        decision_place place = decision_place::log;  ///< where its decision lives
        std::uint16_t place_resource_manager = 0;    ///< of a commit row, else 0
        std::uint64_t node = 0;                      ///< random, made with the log
        std::uint32_t epoch = 0;                     ///< raised at each opening of the log
        std::uint64_t nonce = 0;                     ///< 48 random bits of that opening
        std::uint64_t sequence = 0;                  ///< 48 bits, counted from 1 in each epoch
    };

    /// The null gtrid: 57 zero digits, which nobody owns; parse() never returns it.
    gtrid() noexcept { text_.fill('0'); }

    /// Makes the identifier that says what `parts` say.
    /// @pre  nonce and sequence fit in 48 bits.
    static gtrid make(fields const& parts) noexcept;

    /// Reads an identifier.
    /// @return the identifier, or nothing when `text` is not exactly one of ours.
    static std::optional<gtrid> parse(std::string_view text) noexcept;

    /// The identifier itself, as long as this object lives.
    std::string_view text() const noexcept { return {text_.data(), text_.size()}; }
    /// What it says.
    fields parts() const noexcept;
    /// Whether it is the null gtrid.
    bool is_null() const noexcept { return text_[0] == '0'; }

    friend bool operator==(gtrid const& a, gtrid const& b) noexcept { return a.text_ == b.text_; }
    friend bool operator!=(gtrid const& a, gtrid const& b) noexcept { return a.text_ != b.text_; }
    friend bool operator<(gtrid const& a, gtrid const& b) noexcept { return a.text_ < b.text_; }

private:
    std::array<char, length> text_;
};

/// A branch qualifier (XA's bqual): which resource manager, which branch there, and which
/// session of the server works on it, so that recovery can find a session that keeps it.
class ASSENT_EXPORT bqual
{
public:
    static constexpr std::size_t length = 24;  ///< in bytes, always

    /// What a bqual says.
    struct fields
    {
        std::uint16_t resource_manager = 0;  ///< the id that the log has bound it to
        std::uint16_t branch = 0;            ///< counted from 1 in each transaction
        std::uint64_t session = 0;           ///< the server's number for the session; 0: unknown
    };

    /// All zeros: no branch.
    bqual() noexcept { text_.fill('0'); }
    /// Makes the qualifier that says what `parts` say.
    static bqual make(fields const& parts) noexcept;
    /// Reads a qualifier.
    /// @return the qualifier, or nothing when `text` is not exactly one of ours.
    static std::optional<bqual> parse(std::string_view text) noexcept;

    /// The qualifier itself, as long as this object lives.
    std::string_view text() const noexcept { return {text_.data(), text_.size()}; }
    /// What it says.
    fields parts() const noexcept;

    friend bool operator==(bqual const& a, bqual const& b) noexcept { return a.text_ == b.text_; }
    friend bool operator!=(bqual const& a, bqual const& b) noexcept { return a.text_ != b.text_; }
    friend bool operator<(bqual const& a, bqual const& b) noexcept { return a.text_ < b.text_; }

private:
    std::array<char, length> text_;
};

/// One branch of one global transaction.
struct xid
{
    gtrid global;  ///< the same in all branches of one transaction
    bqual branch;  ///< different in each of them

    /// `gtrid.bqual`, 82 bytes: PostgreSQL's gid, and the form shown to people.
    std::string text() const;

    /// Reads what text() gives.
    /// @return the xid, or nothing when `text` is not `gtrid.bqual` of ours.
    ASSENT_EXPORT static std::optional<xid> parse(std::string_view text) noexcept;

    friend bool operator==(xid const& a, xid const& b) noexcept
    {
        return a.global == b.global && a.branch == b.branch;
    }
    friend bool operator!=(xid const& a, xid const& b) noexcept { return !(a == b); }
    friend bool operator<(xid const& a, xid const& b) noexcept
    {
        return a.global != b.global ? a.global < b.global : a.branch < b.branch;
    }
};

inline std::string xid::text() const
{
    std::string joined;
    joined.reserve(gtrid::length + 1 + bqual::length);
    joined.append(global.text()).append(1, '.').append(branch.text());
    return joined;
}

}  // namespace v0
}  // namespace assent

template <>
struct std::hash<assent::gtrid>
{
    std::size_t operator()(assent::gtrid const& id) const noexcept
    {
        return std::hash<std::string_view>{}(id.text());
    }
};

template <>
struct std::hash<assent::xid>
{
    std::size_t operator()(assent::xid const& id) const noexcept
    {
        return std::hash<std::string_view>{}(id.global.text()) * 31 +
               std::hash<std::string_view>{}(id.branch.text());
    }
};

#endif  // ASSENT_XID_HPP
