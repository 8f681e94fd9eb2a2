// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// late_log.hpp -- a log whose next force ends only after its caller was told that nobody knows.

#ifndef ASSENT_TESTS_UNIT_ENGINE_LATE_LOG_HPP
#define ASSENT_TESTS_UNIT_ENGINE_LATE_LOG_HPP

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "ports/coordinator_log.hpp"

namespace engine_test {

class late_log final : public assent::ports::coordinator_log
{
public:
    using log = assent::ports::coordinator_log;
    using xid = assent::xid;
    using gtrid = assent::gtrid;

    explicit late_log(std::unique_ptr<log> under) : under_(std::move(under)) {}

    /// The next force waits for end_force().
    void be_late() { is_late_ = true; }
    bool is_late() const { return static_cast<bool>(end_force_); }
    void end_force() { std::exchange(end_force_, nullptr)(); }

    assent::ports::force_result force(assent::ports::decision const& what,
                                      assent::deadline until) noexcept override
    {
        if (auto const first = std::exchange(during_force, nullptr)) first();
        if (!std::exchange(is_late_, false)) return under_->force(what, until);
        end_force_ = [this, what, until] { under_->force(what, until); };
        return assent::ports::force_failure{assent::ports::force_failure::kind::in_doubt,
                                            "the force did not end in time"};
    }

    bool reserve() noexcept override { return under_->reserve(); }
    void release() noexcept override { under_->release(); }
    std::uint64_t node() const noexcept override { return under_->node(); }
    std::string const& node_label() const noexcept override { return under_->node_label(); }
    assent::ports::opening current() const noexcept override { return under_->current(); }
    bool knows(assent::ports::opening const& which) const noexcept override
    {
        return under_->knows(which);
    }
    std::vector<assent::ports::binding> bindings() const override { return under_->bindings(); }
    std::uint16_t bind(std::string const& name, std::string const& kind,
                       std::string const& identity) override
    {
        return under_->bind(name, kind, identity);
    }
    std::optional<assent::ports::logged_decision> find(gtrid const& which) const override
    {
        return under_->find(which);
    }
    std::vector<assent::ports::logged_decision> unfinished() const override
    {
        return under_->unfinished();
    }
    std::vector<assent::ports::logged_decision> unfinished_at(std::uint16_t id) const override
    {
        return under_->unfinished_at(id);
    }
    std::chrono::milliseconds presumption_delay() const noexcept override
    {
        return under_->presumption_delay();
    }
    assent::ports::recorded_outcome outcome(gtrid const& which) const override
    {
        return under_->outcome(which);
    }
    void note_finished(xid const& branch) noexcept override { under_->note_finished(branch); }
    void note_rolled_back(gtrid const& which) noexcept override { under_->note_rolled_back(which); }
    void record(assent::ports::heuristic_record const& what) override { under_->record(what); }
    std::vector<assent::ports::heuristic_record> heuristics() const override
    {
        return under_->heuristics();
    }
    void record(assent::ports::operator_record const& what) override { under_->record(what); }
    std::vector<assent::ports::operator_record> operator_records() const override
    {
        return under_->operator_records();
    }
    assent::ports::horizon horizon(std::uint16_t id) const override { return under_->horizon(id); }
    void raise_epoch_horizon(std::uint16_t id, assent::ports::position to) noexcept override
    {
        under_->raise_epoch_horizon(id, to);
    }
    void raise_horizon(std::uint16_t id, assent::ports::position to) noexcept override
    {
        under_->raise_horizon(id, to);
    }
    void note_server_start(std::uint16_t id, std::string const& start) override
    {
        under_->note_server_start(id, start);
    }
    std::optional<std::string> server_start(std::uint16_t id, std::uint32_t of) const override
    {
        return under_->server_start(id, of);
    }
    assent::ports::log_state state() const override { return under_->state(); }
    bool close() noexcept override { return under_->close(); }
    void abandon() noexcept override { under_->abandon(); }

    std::function<void()> during_force;  // once: the disk is slow

private:
    std::unique_ptr<log> const under_;
    bool is_late_ = false;
    std::function<void()> end_force_;
};

}  // namespace engine_test

#endif  // ASSENT_TESTS_UNIT_ENGINE_LATE_LOG_HPP
