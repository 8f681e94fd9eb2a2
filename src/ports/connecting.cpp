// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "ports/connecting.hpp"

#include <chrono>
#include <exception>
#include <new>
#include <string>

#include "ports/standard_descriptors.hpp"

namespace assent::ports {

std::string why_not(int descriptor)
{
    if (descriptor < 0 || descriptor >= descriptor_min) return {};
    return "its socket has the number " + std::to_string(descriptor) +
           ", which belongs to a standard stream: whatever prints would write into it; open 0, 1 "
           "and 2, on /dev/null for one, before you connect";
}

namespace {

/// The driver's connect(), behind which the application's own function may be: whatever that throws
/// is an error of the driver to every caller.  Only a want of memory stays what it is, because
/// whoever has none waits instead of telling.
std::unique_ptr<driver_session> connect_or_fail(resource_manager_driver& driver,
                                                session_purpose why, deadline until)
{
    try {
        return driver.connect(why, until);
    } catch (driver_error const&) {
        throw;
    } catch (std::bad_alloc const&) {
        throw;
    } catch (std::exception const& e) {
        throw driver_error{e.what()};
    } catch (...) {
        throw driver_error{"the connect function threw something that is no std::exception"};
    }
}

/// So that the socket gets none of the numbers of the standard streams.
std::unique_ptr<driver_session> open_above_standard(resource_manager_driver& driver,
                                                    session_purpose why, deadline until)
{
    standard_descriptors const held;
    auto session = connect_or_fail(driver, why, until);
    if (std::string const refused = why_not(session->descriptor()); !refused.empty()) {
        throw driver_error{refused};
    }
    return session;
}

}  // namespace

std::unique_ptr<driver_session> connect(resource_manager_driver& to, session_purpose purpose,
                                        deadline until, inherited_descriptor& in_child)
{
    // Each fork of other threads may meet a connect; their number says nothing, the deadline does.
    constexpr int tries_max = 1000;
    auto const generation = fork_generation();
    for (int tries = 1; tries <= tries_max; ++tries) {
        auto const before = forks_made();
        auto opened = open_above_standard(to, purpose, until);
        if (fork_generation() != generation) {
            opened->abandon();  // this is the child, of the application's own connect function
            return opened;
        }
        in_child = inherited_descriptor{opened->descriptor()};
        if (forks_made() == before) return opened;
        opened->sever();
        in_child = {};
        if (std::chrono::steady_clock::now() >= until) break;
    }
    throw driver_error{"resource manager \"" + to.name() +
                       "\": this process forks faster than a connection is opened"};
}

}  // namespace assent::ports
