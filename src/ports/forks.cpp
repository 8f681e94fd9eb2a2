// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "ports/forks.hpp"

#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <deque>
#include <mutex>
#include <vector>

namespace assent::ports {

namespace {

/// What a descriptor is open on.  A client library closes its descriptor when the connection
/// breaks, and the number may then be another file's.
struct open_file
{
    int descriptor = -1;
    dev_t device = 0;
    ino_t inode = 0;

    static open_file of(int descriptor) noexcept
    {
        struct stat seen = {};
        if (::fstat(descriptor, &seen) != 0) return {};
        return {descriptor, seen.st_dev, seen.st_ino};
    }
    bool is_still_there() const noexcept
    {
        auto const now = of(descriptor);
        return now.descriptor >= 0 && now.device == device && now.inode == inode;
    }
};

}  // namespace

struct inherited_descriptor::slot
{
    open_file file;  // descriptor -1: free
};

namespace {

struct child_handler
{
    void (*run)(void*);
    void* what;
};

// Leaked on purpose: children and static destructors may come after this file's own statics.
struct registry
{
    std::mutex mutex;
    std::deque<inherited_descriptor::slot> slots;  // addresses stay valid
    std::vector<inherited_descriptor::slot*> free;
    std::vector<child_handler> handlers;
    std::atomic<std::uint64_t> generation{0};
    std::atomic<std::uint64_t> forks{0};
};

registry& the_registry()
{
    static registry* const only = new registry;
    return *only;
}

// fork() runs with the registry locked, so the child finds it whole.
void before_fork()
{
    registry& all = the_registry();
    all.mutex.lock();
    all.forks.fetch_add(1, std::memory_order_relaxed);
}
void in_parent()
{
    the_registry().mutex.unlock();
}

void in_child()
{
    registry& all = the_registry();
    all.generation.fetch_add(1, std::memory_order_relaxed);
    for (auto& slot : all.slots) {
        if (slot.file.is_still_there()) ::close(slot.file.descriptor);
        slot.file = {};
    }
    for (child_handler const& handler : all.handlers)
        handler.run(handler.what);
    all.mutex.unlock();
}

void install_once()
{
    static int const installed = ::pthread_atfork(&before_fork, &in_parent, &in_child);
    static_cast<void>(installed);
}

}  // namespace

std::uint64_t fork_generation() noexcept
{
    return the_registry().generation.load(std::memory_order_relaxed);
}

std::uint64_t forks_made() noexcept
{
    install_once();
    registry& all = the_registry();
    std::lock_guard const held{all.mutex};  // not while a fork is under way
    return all.forks.load(std::memory_order_relaxed);
}

inherited_descriptor::inherited_descriptor(int descriptor)
{
    if (descriptor < 0) return;
    auto const file = open_file::of(descriptor);
    if (file.descriptor < 0) return;  // closed already
    install_once();
    registry& all = the_registry();
    std::lock_guard const held{all.mutex};
    if (all.free.empty()) {
        slot_ = &all.slots.emplace_back(slot{file});
        all.free.reserve(all.slots.size());  // so that giving a slot back never allocates
    } else {
        slot_ = all.free.back();
        all.free.pop_back();
        slot_->file = file;
    }
}

inherited_descriptor& inherited_descriptor::operator=(inherited_descriptor&& other) noexcept
{
    std::swap(slot_, other.slot_);
    return *this;
}

inherited_descriptor::~inherited_descriptor()
{
    if (slot_ == nullptr) return;
    registry& all = the_registry();
    std::lock_guard const held{all.mutex};
    slot_->file = {};
    all.free.push_back(slot_);
}

void on_fork_in_child(void (*run)(void*), void* what)
{
    install_once();
    registry& all = the_registry();
    std::lock_guard const held{all.mutex};
    all.handlers.push_back({run, what});
}

void forget_fork_handler(void* what) noexcept
{
    registry& all = the_registry();
    std::lock_guard const held{all.mutex};
    all.handlers.erase(
        std::remove_if(all.handlers.begin(), all.handlers.end(),
                       [what](child_handler const& handler) { return handler.what == what; }),
        all.handlers.end());
}

}  // namespace assent::ports
