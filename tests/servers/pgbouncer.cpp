// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "tests/servers/pgbouncer.hpp"

#include <signal.h>
#include <sys/socket.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <thread>
#include <vector>

#include "tests/servers/sockets.hpp"
#include "tests/servers/spawn.hpp"

namespace assent::testing {

namespace {

constexpr char program[] = "/usr/sbin/pgbouncer";

int free_port()
{
    descriptor const any{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    if (any.get() < 0 || ::bind(any.get(), generic, size) != 0 ||
        ::getsockname(any.get(), generic, &size) != 0) {
        fail("a free port");
    }
    return ntohs(address.sin_port);
}

bool is_listening(int port)
{
    descriptor const one{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    sockaddr_in const address = loopback(port);
    return ::connect(one.get(), reinterpret_cast<sockaddr const*>(&address), sizeof address) == 0;
}

}  // namespace

std::string pgbouncer::why_missing()
{
    return std::filesystem::exists(program) ? "" : "no PgBouncer here (Debian: pgbouncer)";
}

pgbouncer::pgbouncer(private_server const& before, std::string const& pool_mode, int sessions)
    : port_(free_port())
{
    std::string made =
        (std::filesystem::temp_directory_path() / "assent-pgbouncer-XXXXXX").string();
    if (::mkdtemp(made.data()) == nullptr) fail("a directory for PgBouncer");
    directory_ = made;
    std::string const settings = directory_ + "/settings";
    std::ofstream{settings} << "[databases]\n"
                               "accounts = host=127.0.0.1 port="
                            << before.port() << " user=" << before.account()
                            << " password=" << before.password()
                            << "\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = " << port_
                            << "\nunix_socket_dir =\nauth_type = any\npool_mode = " << pool_mode
                            << "\ndefault_pool_size = " << sessions << "\nserver_reset_query = "
                            << "DISCARD ALL\nignore_startup_parameters = extra_float_digits\n";
    std::vector<std::string> words{program, "-q"};
    if (::geteuid() == 0) {  // it does not run as root
        words.emplace_back("-u");
        words.emplace_back("nobody");
    }
    words.push_back(settings);
    pid_ = spawn(words, -1, -1);
    auto const until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (!is_listening(port_)) {
        if (std::chrono::steady_clock::now() >= until) {
            throw std::runtime_error("PgBouncer does not listen");
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
}

pgbouncer::~pgbouncer()
{
    if (pid_ > 0) {
        ::kill(pid_, SIGKILL);
        reap(pid_);
    }
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
}

}  // namespace assent::testing
