// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "adapters/rabbitmq/link.hpp"

#include <amqp_framing.h>
#include <amqp_ssl_socket.h>
#include <amqp_tcp_socket.h>
#include <sys/time.h>

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <vector>

#include "ports/password_file.hpp"

namespace assent::rabbitmq_adapter {

namespace {

using clock = deadline::clock;

/// Confirms come here, and nothing else that could end the channel.
constexpr amqp_channel_t publishing = 1;
/// What the broker refuses to declare costs this one.
constexpr amqp_channel_t declaring = 2;

/// What is received, each lane on a channel of its own, this one and the next.  A lane ends with
/// its channel: the broker then takes back all of it, in its order, before another consumer gets
/// any.  After basic.cancel it gives what follows to that one first (RabbitMQ 3.10).
constexpr amqp_channel_t consuming = 3;

constexpr int encrypted_port = 5671;
constexpr std::uint8_t persistent = 2;
/// Of the frames that we are ready to read.
constexpr int frame_bytes_max = 131'072;

amqp_bytes_t bytes(std::string const& of) noexcept
{
    return {of.size(), const_cast<char*>(of.data())};
}

std::string text(amqp_bytes_t of)
{
    return {static_cast<char const*>(of.bytes), of.len};
}

timeval remaining(deadline until)
{
    using namespace std::chrono;
    auto const left = std::max(until - clock::now(), clock::duration{0});
    auto const whole = duration_cast<seconds>(left);
    return {whole.count(), duration_cast<microseconds>(left - whole).count()};
}

amqp_channel_t channel_of(unsigned lane) noexcept
{
    return static_cast<amqp_channel_t>(consuming + lane);
}

unsigned lane_of(amqp_channel_t channel) noexcept
{
    return static_cast<unsigned>(channel - consuming);
}

[[noreturn]] void fail(std::string const& what)
{
    throw driver_error("RabbitMQ: " + what);
}

std::string words_of(amqp_method_t const& said)
{
    if (said.id == AMQP_CHANNEL_CLOSE_METHOD) {
        return text(static_cast<amqp_channel_close_t*>(said.decoded)->reply_text);
    }
    if (said.id == AMQP_CONNECTION_CLOSE_METHOD) {
        return text(static_cast<amqp_connection_close_t*>(said.decoded)->reply_text);
    }
    if (said.id == AMQP_BASIC_CANCEL_METHOD) return "a queue is gone";
    return "an answer that belongs nowhere";
}

amqp_table_entry_t entry(amqp_bytes_t name, amqp_bytes_t value)
{
    amqp_table_entry_t made{};
    made.key = name;
    made.value.kind = AMQP_FIELD_KIND_UTF8;
    made.value.value.bytes = value;
    return made;
}

}  // namespace

link::link(connect_options const& where, deadline until) : state_(amqp_new_connection())
{
    if (!state_) throw std::bad_alloc();
    open_socket(where, until);
    log_in(where, until);
    for (auto const channel : {publishing, declaring}) {
        amqp_channel_open(state_.get(), channel);
        check("cannot open a channel");
    }
    amqp_confirm_select(state_.get(), publishing);
    check("gives no confirms");
}

void link::open_socket(connect_options const& where, deadline until)
{
    bool const is_encrypted = !where.authority.empty();
    auto* const socket =
        is_encrypted ? amqp_ssl_socket_new(state_.get()) : amqp_tcp_socket_new(state_.get());
    if (socket == nullptr) throw std::bad_alloc();
    if (is_encrypted) {
        amqp_ssl_socket_set_verify_peer(socket, 1);
        amqp_ssl_socket_set_verify_hostname(socket, 1);
        if (amqp_ssl_socket_set_cacert(socket, where.authority.c_str()) != AMQP_STATUS_OK) {
            fail("cannot read certificates from " + where.authority);
        }
    }
    int const usual = is_encrypted ? encrypted_port : AMQP_PROTOCOL_PORT;
    int const port = where.port != 0 ? where.port : usual;
    auto const left = remaining(until);
    int const status = amqp_socket_open_noblock(socket, where.host.c_str(), port, &left);
    if (status != AMQP_STATUS_OK) {
        fail("cannot connect to " + where.host + ":" + std::to_string(port) + ": " +
             amqp_error_string2(status));
    }
}

void link::log_in(connect_options const& where, deadline until)
{
    auto const left = remaining(until);
    amqp_set_handshake_timeout(state_.get(), &left);
    auto const password =
        where.password_file.empty() ? std::string{} : ports::read_password(where.password_file);
    // Else the broker would say nothing where a queue is deleted that is consumed.
    amqp_table_entry_t ability = entry(amqp_cstring_bytes("consumer_cancel_notify"), {});
    ability.value.kind = AMQP_FIELD_KIND_BOOLEAN;
    ability.value.value.boolean = 1;
    amqp_table_entry_t abilities = entry(amqp_cstring_bytes("capabilities"), {});
    abilities.value.kind = AMQP_FIELD_KIND_TABLE;
    abilities.value.value.table = {1, &ability};
    amqp_table_t const properties{1, &abilities};
    auto const reply =
        amqp_login_with_properties(state_.get(), where.virtual_host.c_str(), 0, frame_bytes_max,
                                   static_cast<int>(where.heartbeat.count()), &properties,
                                   AMQP_SASL_METHOD_PLAIN, where.account.c_str(), password.c_str());
    bound(until);
    if (reply.reply_type == AMQP_RESPONSE_SERVER_EXCEPTION) {
        fail("refuses the login: " + words_of(reply.reply));
    }
    if (reply.reply_type != AMQP_RESPONSE_NORMAL) {
        fail(std::string{"cannot log in: "} + amqp_error_string2(reply.library_error));
    }
}

/// Of whatever is asked and answered.
void link::bound(deadline until)
{
    auto const left = remaining(until);
    amqp_set_rpc_timeout(state_.get(), &left);
}

void link::check(char const* what)
{
    auto const reply = amqp_get_rpc_reply(state_.get());
    switch (reply.reply_type) {
        case AMQP_RESPONSE_NORMAL:
            return;
        case AMQP_RESPONSE_SERVER_EXCEPTION:
            fail(what + (": " + words_of(reply.reply)));
        case AMQP_RESPONSE_LIBRARY_EXCEPTION:
            fail(what + std::string{": "} + amqp_error_string2(reply.library_error));
        default:
            fail(what + std::string{": no answer"});
    }
}

/// What is not there costs the channel.
bool link::is_there(std::string const& queue, deadline until)
{
    bound(until);
    amqp_queue_declare(state_.get(), declaring, bytes(queue), 1, 0, 0, 0, amqp_empty_table);
    auto const reply = amqp_get_rpc_reply(state_.get());
    if (reply.reply_type != AMQP_RESPONSE_SERVER_EXCEPTION ||
        reply.reply.id != AMQP_CHANNEL_CLOSE_METHOD ||
        static_cast<amqp_channel_close_t*>(reply.reply.decoded)->reply_code != AMQP_NOT_FOUND) {
        check("cannot look for a queue");
        return true;
    }
    amqp_channel_close_ok_t accepted{};
    amqp_send_method(state_.get(), declaring, AMQP_CHANNEL_CLOSE_OK_METHOD, &accepted);
    amqp_channel_open(state_.get(), declaring);
    check("cannot open a channel");
    return false;
}

bool link::declare_queue(std::string const& name, deadline until)
{
    bool const was_there = is_there(name, until);
    amqp_table_entry_t arguments[] = {
        entry(amqp_cstring_bytes("x-queue-type"), amqp_cstring_bytes("quorum")),
        entry(amqp_cstring_bytes("x-single-active-consumer"), {})};
    arguments[1].value.kind = AMQP_FIELD_KIND_BOOLEAN;
    arguments[1].value.value.boolean = 1;
    amqp_queue_declare(state_.get(), declaring, bytes(name), 0, 1, 0, 0, {2, arguments});
    check("refuses a queue");
    return !was_there;
}

void link::declare_exchange(std::string const& name, deadline until)
{
    bound(until);
    amqp_exchange_declare(state_.get(), declaring, bytes(name), amqp_cstring_bytes("direct"), 0, 1,
                          0, 0, amqp_empty_table);
    check("refuses an exchange");
}

void link::publish(route const& to, parcel const& what)
{
    std::vector<amqp_table_entry_t> headers;
    headers.reserve(what.headers.size());
    for (auto const& [name, value] : what.headers) {
        headers.push_back(entry(bytes(name), bytes(value)));
    }
    amqp_basic_properties_t properties{};
    properties._flags =
        AMQP_BASIC_HEADERS_FLAG | AMQP_BASIC_DELIVERY_MODE_FLAG | AMQP_BASIC_MESSAGE_ID_FLAG;
    properties.headers = {static_cast<int>(headers.size()), headers.data()};
    properties.delivery_mode = persistent;
    properties.message_id = bytes(what.id);
    int const status = amqp_basic_publish(state_.get(), publishing, bytes(to.exchange),
                                          bytes(to.key), 1, 0, &properties, bytes(what.body));
    if (status != AMQP_STATUS_OK) {
        fail(std::string{"cannot publish: "} + amqp_error_string2(status));
    }
}

std::optional<amqp_frame_t> link::frame(deadline until)
{
    amqp_maybe_release_buffers(state_.get());
    auto const left = remaining(until);
    amqp_frame_t came{};
    int const status = amqp_simple_wait_frame_noblock(state_.get(), &came, &left);
    if (status == AMQP_STATUS_TIMEOUT) return std::nullopt;
    if (status != AMQP_STATUS_OK) {
        fail(std::string{"the connection is lost: "} + amqp_error_string2(status));
    }
    return came;
}

std::optional<verdict> link::hear(deadline until)
{
    auto const came = frame(until);
    if (!came) return std::nullopt;
    if (came->frame_type != AMQP_FRAME_METHOD || came->channel != publishing) {
        bool const is_end = came->frame_type == AMQP_FRAME_METHOD;
        fail("ended the connection: " + words_of(is_end ? came->payload.method : amqp_method_t{}));
    }
    auto const& said = came->payload.method;
    switch (said.id) {
        case AMQP_BASIC_ACK_METHOD: {
            auto const& ack = *static_cast<amqp_basic_ack_t*>(said.decoded);
            return verdict{ack.delivery_tag, ack.multiple != 0, true, {}};
        }
        case AMQP_BASIC_NACK_METHOD: {
            auto const& nack = *static_cast<amqp_basic_nack_t*>(said.decoded);
            return verdict{nack.delivery_tag, nack.multiple != 0, false, {}};
        }
        case AMQP_BASIC_RETURN_METHOD:
            return verdict{0, false, false, returned_id(until)};
        default:
            fail("ended the channel: " + words_of(said));
    }
}

/// What is returned follows: its properties, and its body, in pieces.
std::string link::returned_id(deadline until)
{
    auto const cut = [] { fail("the connection is lost amid a message that it returns"); };
    auto const head = frame(until);
    if (!head || head->frame_type != AMQP_FRAME_HEADER) cut();
    auto const& properties =
        *static_cast<amqp_basic_properties_t*>(head->payload.properties.decoded);
    auto id = text(properties.message_id);
    auto left = head->payload.properties.body_size;
    while (left > 0) {
        auto const piece = frame(until);
        if (!piece || piece->frame_type != AMQP_FRAME_BODY) cut();
        left -= std::min<std::uint64_t>(left, piece->payload.body_fragment.len);
    }
    return id;
}

void link::bind(std::string const& queue, std::string const& exchange, std::string const& key,
                deadline until)
{
    bound(until);
    amqp_queue_bind(state_.get(), declaring, bytes(queue), bytes(exchange), bytes(key),
                    amqp_empty_table);
    check("refuses to bind a queue");
}

void link::consume(unsigned lane, std::string const& queue, std::string const& consumer,
                   std::uint16_t prefetch, deadline until)
{
    bound(until);
    auto const channel = channel_of(lane);
    amqp_channel_open(state_.get(), channel);
    check("cannot open a channel");
    amqp_basic_qos(state_.get(), channel, 0, prefetch, 0);
    check("refuses a prefetch");
    amqp_basic_consume(state_.get(), channel, bytes(queue), bytes(consumer), 0, 0, 0,
                       amqp_empty_table);
    check("refuses a consumer");
}

void link::end(unsigned lane, deadline until)
{
    bound(until);
    auto const reply = amqp_channel_close(state_.get(), channel_of(lane), AMQP_REPLY_SUCCESS);
    if (reply.reply_type != AMQP_RESPONSE_NORMAL) fail("does not end a consumer");
}

void link::acknowledge(unsigned lane, std::uint64_t tag)
{
    int const status = amqp_basic_ack(state_.get(), channel_of(lane), tag, 0);
    if (status != AMQP_STATUS_OK) {
        fail(std::string{"cannot acknowledge: "} + amqp_error_string2(status));
    }
}

std::optional<envelope> link::receive(deadline until)
{
    amqp_maybe_release_buffers(state_.get());
    auto const left = remaining(until);
    amqp_envelope_t came{};
    auto const reply = amqp_consume_message(state_.get(), &came, &left, 0);
    if (reply.reply_type == AMQP_RESPONSE_LIBRARY_EXCEPTION &&
        reply.library_error == AMQP_STATUS_TIMEOUT) {
        return std::nullopt;
    }
    if (reply.reply_type == AMQP_RESPONSE_LIBRARY_EXCEPTION &&
        reply.library_error == AMQP_STATUS_UNEXPECTED_STATE) {
        // Something else than a message: the end of a consumer, of the channel, of the connection.
        auto const said = frame(until);
        bool const is_said = said && said->frame_type == AMQP_FRAME_METHOD;
        fail("ended the consumers: " + words_of(is_said ? said->payload.method : amqp_method_t{}));
    }
    if (reply.reply_type != AMQP_RESPONSE_NORMAL) {
        fail(std::string{"the connection is lost: "} + amqp_error_string2(reply.library_error));
    }
    std::unique_ptr<amqp_envelope_t, decltype(&amqp_destroy_envelope)> const held{
        &came, amqp_destroy_envelope};
    envelope made{lane_of(came.channel), text(came.consumer_tag), came.delivery_tag, {}};
    auto const& properties = came.message.properties;
    if ((properties._flags & AMQP_BASIC_MESSAGE_ID_FLAG) != 0)
        made.what.id = text(properties.message_id);
    if ((properties._flags & AMQP_BASIC_HEADERS_FLAG) != 0) {
        for (int i = 0; i < properties.headers.num_entries; ++i) {
            auto const& each = properties.headers.entries[i];
            bool const is_text =
                each.value.kind == AMQP_FIELD_KIND_UTF8 || each.value.kind == AMQP_FIELD_KIND_BYTES;
            if (is_text)
                made.what.headers.emplace_back(text(each.key), text(each.value.value.bytes));
        }
    }
    made.what.body = text(came.message.body);
    return made;
}

}  // namespace assent::rabbitmq_adapter
