// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// private_server.cpp -- runs the scripts beside this file; all knowledge of the servers is there.

#include "tests/servers/private_server.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <sstream>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <utility>

#include "tests/servers/spawn.hpp"

namespace assent::testing {
namespace {

std::string script_of(std::string const& kind)
{
    return ASSENT_SERVERS_DIRECTORY "/" + kind;
}

// Where `fetch` put what Debian's release does not have.
std::string fetched()
{
    char const* given = std::getenv("ASSENT_SERVERS_PREFIX");
    return given != nullptr && *given != '\0' ? given : ASSENT_SERVERS_PREFIX;
}

std::string missing(std::string const& name)
{
    if (std::filesystem::exists(fetched() + "/" + name + "/versions")) return {};
    return name + " was not fetched: run tests/servers/fetch PREFIX " + name +
           ", and let ASSENT_SERVERS_PREFIX name that PREFIX";
}

std::string make_directory(std::string const& kind)
{
    char const* given = std::getenv("TMPDIR");
    std::string base = given != nullptr && *given != '\0' ? given : "/tmp";
    std::string pattern = base + "/assent-" + kind + "-XXXXXX";
    if (::mkdtemp(pattern.data()) == nullptr) {
        throw std::system_error(errno, std::generic_category(), "mkdtemp " + pattern);
    }
    return std::filesystem::canonical(pattern).string();
}

enum class pipe_end : std::uint8_t { read, write };

// @return the end of a new pipe that is not `which`; that one goes to `kept`.
int make_pipe(int& kept, pipe_end which)
{
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) {
        throw std::system_error(errno, std::generic_category(), "pipe2");
    }
    kept = ends[which == pipe_end::read ? 0 : 1];
    return ends[which == pipe_end::read ? 1 : 0];
}

// The output of the verb `env`: one KEY=value a line.  The values hold nothing that a shell quotes.
std::map<std::string, std::string> parse_environment(std::string const& text)
{
    std::map<std::string, std::string> found;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        auto const equal = line.find('=');
        if (equal == std::string::npos) continue;
        std::string value = line.substr(equal + 1);
        found[line.substr(0, equal)] = value == "''" ? "" : value;
    }
    return found;
}

}  // namespace

std::unique_ptr<private_server> private_server::postgresql(std::vector<std::string> const& settings)
{
    return std::unique_ptr<private_server>(new private_server("postgresql", settings));
}

std::unique_ptr<private_server> private_server::mariadb(std::vector<std::string> const& settings)
{
    return std::unique_ptr<private_server>(new private_server("mariadb", settings));
}

std::unique_ptr<private_server> private_server::rabbitmq(std::vector<std::string> const& settings)
{
    return std::unique_ptr<private_server>(new private_server("rabbitmq", settings));
}

std::unique_ptr<private_server> private_server::mysql(std::vector<std::string> const& settings)
{
    return std::unique_ptr<private_server>(
        new private_server("mysql", settings, {"ASSENT_SERVERS_PREFIX=" + fetched()}));
}

std::unique_ptr<private_server> private_server::newest_postgresql(
    std::vector<std::string> const& settings)
{
    return std::unique_ptr<private_server>(new private_server(
        "postgresql", settings, {"ASSENT_POSTGRESQL_BIN=" + fetched() + "/postgresql/bin"}));
}

std::unique_ptr<private_server> private_server::standby_of(private_server& primary)
{
    primary.stop();
    std::unique_ptr<private_server> made(new private_server(
        "postgresql", {"standby_of=" + primary.directory(), "synchronous_standby_names="},
        primary.environment_));
    // Without its primary it answers all the same, and goes on looking for it.
    primary.start();
    return made;
}

std::string private_server::mysql_missing()
{
    return missing("mysql");
}

std::string private_server::newest_postgresql_missing()
{
    return missing("postgresql");
}

private_server::private_server(std::string const& kind, std::vector<std::string> const& settings,
                               std::vector<std::string> environment)
    : environment_(std::move(environment)),
      script_(script_of(kind)),
      directory_(make_directory(kind))
{
    try {
        start_watchdog();
        std::vector<std::string> words{script_, "init", directory_};
        words.insert(words.end(), settings.begin(), settings.end());
        run(words);
        start();
    } catch (...) {
        end_watchdog();
        throw;
    }
}

private_server::~private_server()
{
    try {
        run({script_, "kill", directory_});  // nobody needs its data any more
    } catch (std::exception const& error) {
        std::cerr << "stopping the server in " << directory_ << ": " << error.what() << '\n';
    }
    end_watchdog();
}

// CTest ends a test that takes too long together with all its children, and reads what they write
// until the last of them has closed it.  So the watchdog is nobody's child (setsid --fork), and
// writes into a pipe of its own.
void private_server::start_watchdog()
{
    int const its_input = make_pipe(alive_, pipe_end::write);
    int its_output = -1;
    finished_process starter;
    try {
        its_output = make_pipe(watchdog_says_, pipe_end::read);
        starter =
            reap(spawn({"/usr/bin/setsid", "--fork", script_of("watchdog"), script_, directory_},
                       its_input, its_output));
    } catch (...) {
        ::close(its_input);
        if (its_output >= 0) ::close(its_output);
        throw;
    }
    ::close(its_input);
    ::close(its_output);
    if (starter.status != 0) throw std::runtime_error("there is no watchdog for " + directory_);
}

// The watchdog kills what may be left of the server, removes the directory, and ends.
void private_server::end_watchdog() noexcept
{
    if (alive_ >= 0) ::close(std::exchange(alive_, -1));
    if (watchdog_says_ < 0) return;
    try {
        std::cerr << read_to_end(watchdog_says_);
    } catch (std::exception const& error) {
        std::cerr << "the watchdog of " << directory_ << ": " << error.what() << '\n';
    }
    ::close(std::exchange(watchdog_says_, -1));
}

std::string private_server::run(std::vector<std::string> words) const
{
    std::string const what = words[0] + " " + words[1];
    if (!environment_.empty()) {
        words.insert(words.begin(), environment_.begin(), environment_.end());
        words.insert(words.begin(), "/usr/bin/env");
    }
    finished_process const done = run_process(words);
    if (done.status != 0) throw std::runtime_error(what + " failed:\n" + done.output);
    return done.output;
}

void private_server::start()
{
    run({script_, "start", directory_});
    read_environment();
}

void private_server::start_on_port(int port)
{
    run({script_, "start", directory_, std::to_string(port)});
    read_environment();
}

void private_server::stop()
{
    run({script_, "stop", directory_});
    pid_ = 0;
}

void private_server::kill()
{
    run({script_, "kill", directory_});
    pid_ = 0;
}

void private_server::set(std::vector<std::string> const& settings)
{
    std::vector<std::string> words{script_, "set", directory_};
    words.insert(words.end(), settings.begin(), settings.end());
    run(words);
}

void private_server::freeze()
{
    auto const until = std::chrono::steady_clock::now() + std::chrono::seconds{10};
    // kill(2) returns before the threads on other processors have stopped, and a process that its
    // parent made meanwhile was not told.
    for (signal_all(SIGSTOP); !is_frozen(); signal_all(SIGSTOP)) {
        if (std::chrono::steady_clock::now() > until) {
            throw std::runtime_error(directory_ + ": the server does not stop");
        }
        std::this_thread::sleep_for(std::chrono::milliseconds{1});
    }
}

void private_server::thaw()
{
    signal_all(SIGCONT);
}

// Every process that works in the data directory: the server and, for PostgreSQL, its children.
std::vector<pid_t> private_server::processes() const
{
    std::vector<pid_t> all;
    std::filesystem::path const data = directory_ + "/data";
    for (auto const& entry : std::filesystem::directory_iterator("/proc")) {
        std::string const name = entry.path().filename().string();
        if (name.find_first_not_of("0123456789") != std::string::npos) continue;
        std::error_code gone;  // it ended meanwhile, or belongs to somebody else: not ours
        if (std::filesystem::read_symlink(entry.path() / "cwd", gone) == data) {
            all.push_back(static_cast<pid_t>(std::stol(name)));
        }
    }
    return all;
}

void private_server::signal_all(int signal) const
{
    for (pid_t const process : processes())
        ::kill(process, signal);
}

bool private_server::is_frozen() const
{
    for (pid_t const process : processes()) {
        std::error_code gone;
        for (auto const& thread : std::filesystem::directory_iterator(
                 "/proc/" + std::to_string(process) + "/task", gone)) {
            std::ifstream in(thread.path() / "stat");
            std::string stat;
            if (!std::getline(in, stat)) continue;   // it ended meanwhile
            auto const name_end = stat.rfind(") ");  // the name itself may hold anything
            // Stopped, or stopped while somebody traces it.
            if (stat[name_end + 2] != 'T' && stat[name_end + 2] != 't') return false;
        }
    }
    return true;
}

void private_server::read_environment()
{
    auto const found = parse_environment(run({script_, "env", directory_}));
    port_ = std::stoi(found.at("PORT"));
    socket_directory_ = found.at("SOCKET_DIR");
    socket_ = found.at("SOCKET");
    pid_ = found.at("PID").empty() ? 0 : static_cast<pid_t>(std::stol(found.at("PID")));
}

bool private_server::is_running() const
{
    return !parse_environment(run({script_, "env", directory_})).at("PID").empty();
}

std::string private_server::password() const
{
    std::ifstream file(directory_ + "/password");
    std::string word;
    if (!(file >> word)) throw std::runtime_error("cannot read " + directory_ + "/password");
    return word;
}

std::string private_server::conninfo(std::string const& database, int port) const
{
    return "host=127.0.0.1 port=" + std::to_string(port != 0 ? port : port_) +
           " user=shop password=" + password() + " dbname=" + database + " connect_timeout=10";
}

std::string private_server::superuser_conninfo(std::string const& database) const
{
    return "host=" + socket_directory_ + " port=" + std::to_string(port_) +
           " user=postgres dbname=" + database + " connect_timeout=10";
}

}  // namespace assent::testing
