// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// log_threads_test.cpp -- an opening for which there are not enough threads.
//
// The program's own pthread_create stands before the C library's, and fails when it is told to.

#include <dlfcn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pthread.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>

#include "forwarding_file_layer.hpp"
#include "log/file_log.hpp"
#include "log/posix_file_layer.hpp"
#include "log_fixture.hpp"
#include "temporary_directory.hpp"

namespace {

std::atomic<int> creations_left{-1};  // before one fails; negative: none does

}  // namespace

extern "C" int pthread_create(pthread_t* thread, pthread_attr_t const* how, void* (*run)(void*),
                              void* with) noexcept
{
    using function = int (*)(pthread_t*, pthread_attr_t const*, void* (*)(void*), void*);
    static auto const real = reinterpret_cast<function>(::dlsym(RTLD_NEXT, "pthread_create"));
    int const left = creations_left.load();
    if (left >= 0 && creations_left.fetch_sub(1) == 0) return EAGAIN;
    return real(thread, how, run, with);
}

namespace assent::testing {
namespace {

using namespace std::chrono_literals;

/// Whose spare segment takes its time, so that an opening fails while it is being made.
class slow_spare final : public forwarding_file_layer
{
public:
    using forwarding_file_layer::forwarding_file_layer;

    long open(std::string const& name, log::open_mode mode) noexcept override
    {
        bool const is_spare = mode == log::open_mode::create_new && ++made_ > 1;
        if (is_spare) std::this_thread::sleep_for(100ms);
        return target().open(name, mode);
    }

private:
    std::atomic<int> made_{0};
};

log::file_log_options with_threads(std::shared_ptr<log::file_layer> files)
{
    auto options = repeatable(std::move(files));
    options.random = nullptr;
    options.unix_ms = nullptr;
    options.idle_seal_wait = 10ms;
    options.makes_segments_ahead = true;
    return options;
}

std::size_t threads_here()
{
    auto const all = std::filesystem::directory_iterator("/proc/self/task");
    return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

/// A thread that was joined is listed until the kernel has done with it.
void expect_threads(std::size_t count, int before)
{
    auto const last = std::chrono::steady_clock::now() + 10s;
    while (threads_here() != count && std::chrono::steady_clock::now() < last)
        std::this_thread::yield();
    EXPECT_EQ(threads_here(), count) << before;
}

std::size_t descriptors_here()
{
    auto const all = std::filesystem::directory_iterator("/proc/self/fd");
    return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

TEST(LogThreads, OfWhichOneCannotBeStartedAreRefusedAndNothingIsLeft)
{
    temporary_directory const in;
    std::thread([] {}).join();  // with the first thread, a sanitizer starts one of its own
    auto const threads = threads_here();
    auto const descriptors = descriptors_here();
    bool has_opened = false;
    int refused = 0;
    for (int before = 0; !has_opened; ++before) {
        ASSERT_LT(before, 10);
        auto const files =
            std::make_shared<slow_spare>(std::make_shared<log::posix_file_layer>(in.path()));
        creations_left = before;
        try {
            log::file_log log(in.path(), with_threads(files));
            has_opened = true;
            creations_left = -1;
            EXPECT_TRUE(is_durable(log.force(decision_of(log, 1), far_away())));
        } catch (log::log_error const& error) {
            ++refused;
            EXPECT_EQ(error.fault(), log::log_fault::io);
            EXPECT_THAT(error.what(), ::testing::HasSubstr("thread"));
        }
        creations_left = -1;
        expect_threads(threads, before);
        ASSERT_NO_THROW(log::file_log(in.path(), with_threads(nullptr)))  // the lock was given back
            << before;
    }
    EXPECT_EQ(refused, 2) << "the carrier of forces, and who makes segments ahead";
    EXPECT_EQ(descriptors_here(), descriptors);
}

/// The leader gives a segment its name while the supply opens the next one; ThreadSanitizer looks.
TEST(PosixFileLayer, RenamesWhileAnotherThreadOpensAndCloses)
{
    temporary_directory const in;
    log::posix_file_layer files{in.path()};
    log::directory_facts facts;
    ASSERT_EQ(files.attach(true, facts), 0);
    long const first = files.open("a", log::open_mode::create_or_open);
    ASSERT_GE(first, 0);
    std::atomic<bool> is_over{false};
    std::thread other{[&] {
        while (!is_over) {
            long const file = files.open("b", log::open_mode::create_or_open);
            if (file >= 0) files.close(static_cast<log::file_layer::handle>(file));
        }
    }};

    long failed = 0;
    for (int i = 0; i < 500; ++i) {
        failed |= files.rename("a", "c");
        failed |= files.rename("c", "a");
    }
    is_over = true;
    other.join();

    EXPECT_EQ(failed, 0);
    EXPECT_EQ(files.verify(static_cast<log::file_layer::handle>(first)), 0);
}

}  // namespace
}  // namespace assent::testing
