// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// descriptor.hpp -- a descriptor that is closed at the end of its scope, and a text written whole.

#ifndef ASSENT_PORTS_DESCRIPTOR_HPP
#define ASSENT_PORTS_DESCRIPTOR_HPP

#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <string_view>

namespace assent::ports {

class descriptor
{
public:
    /// `opened` is what open() returned: below 0 there is nothing to close.
    explicit descriptor(int opened) noexcept : opened_(opened) {}
    descriptor(descriptor const&) = delete;
    descriptor& operator=(descriptor const&) = delete;
    ~descriptor()
    {
        if (opened_ >= 0) ::close(opened_);
    }
    int operator*() const noexcept { return opened_; }

private:
    int opened_;
};

/// @return false: errno says why.
inline bool write_all(int to, std::string_view text)
{
    while (!text.empty()) {
        auto const written = ::write(to, text.data(), text.size());
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return false;
        text.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
}

}  // namespace assent::ports

#endif  // ASSENT_PORTS_DESCRIPTOR_HPP
