// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "adapters/mysql/client_options.hpp"

#include <algorithm>
#include <charconv>

#include "adapters/dialects/subject.hpp"

namespace assent::mysql_adapter {

using mysql::compression;
using mysql::tls_mode;

namespace {

constexpr unsigned port_max = 65535;

[[noreturn]] void refuse(std::string const& resource_manager, std::string const& why)
{
    throw driver_error(errc::bad_argument, dialects::subject(resource_manager) + why);
}

bool names_authorities(mysql::connect_options const& chosen)
{
    return !chosen.ssl_ca.empty() || !chosen.ssl_capath.empty();
}

/// What is done where no mode is chosen: whoever names authorities wants them to be asked, and a
/// certificate of the client's is of use on an encrypted connection only.
tls_mode mode_of(mysql::connect_options const& chosen)
{
    if (chosen.ssl_mode != tls_mode::by_default) return chosen.ssl_mode;
    if (names_authorities(chosen)) return tls_mode::verify_identity;
    return chosen.ssl_cert.empty() ? tls_mode::by_default : tls_mode::required;
}

bool does_verify(tls_mode mode)
{
    return mode == tls_mode::verify_ca || mode == tls_mode::verify_identity;
}

void set_text(MYSQL* handle, mysql_option which, std::string const& value)
{
    if (!value.empty()) mysql_options(handle, which, value.c_str());
}

void apply_tls(MYSQL* handle, mysql::connect_options const& chosen)
{
    tls_mode const mode = mode_of(chosen);
    if (mode == tls_mode::by_default) return;
    set_text(handle, MYSQL_OPT_SSL_CA, chosen.ssl_ca);
    set_text(handle, MYSQL_OPT_SSL_CAPATH, chosen.ssl_capath);
    set_text(handle, MYSQL_OPT_SSL_CERT, chosen.ssl_cert);
    set_text(handle, MYSQL_OPT_SSL_KEY, chosen.ssl_key);
#ifdef LIBMARIADB
    client_bool const is_on = mode == tls_mode::disabled ? 0 : 1;
    mysql_options(handle, MYSQL_OPT_SSL_ENFORCE, &is_on);
    client_bool const verify = does_verify(mode) ? 1 : 0;
    mysql_options(handle, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verify);
#else
    unsigned value = SSL_MODE_VERIFY_IDENTITY;
    if (mode == tls_mode::disabled) value = SSL_MODE_DISABLED;
    if (mode == tls_mode::preferred) value = SSL_MODE_PREFERRED;
    if (mode == tls_mode::required) value = SSL_MODE_REQUIRED;
    if (mode == tls_mode::verify_ca) value = SSL_MODE_VERIFY_CA;
    mysql_options(handle, MYSQL_OPT_SSL_MODE, &value);
#endif
}

void apply_compression(MYSQL* handle, compression how)
{
    if (how == compression::off) return;
#ifdef LIBMARIADB
    mysql_options(handle, MYSQL_OPT_COMPRESS, nullptr);
#else
    mysql_options(handle, MYSQL_OPT_COMPRESSION_ALGORITHMS,
                  how == compression::zlib ? "zlib" : "zstd");
#endif
}

/// "db1", "db1:3307", "[2001:db8::1]:3307"; more than one colon without brackets is an address.
host_and_port read_host(std::string const& text, unsigned default_port)
{
    host_and_port found{text, default_port};
    auto colon = text.find(':');
    if (!text.empty() && text.front() == '[') {
        auto const end = text.find(']');
        if (end == text.npos)
            throw driver_error(errc::bad_argument, "host: an address has no closing bracket");
        found.host = text.substr(1, end - 1);
        colon = end + 1 == text.size() ? text.npos : end + 1;
    } else if (colon != text.npos && text.find(':', colon + 1) != text.npos) {
        return found;
    } else {
        found.host = text.substr(0, colon);
    }
    if (colon == text.npos) return found;
    auto const* const end = text.data() + text.size();
    auto const [last, error] = std::from_chars(text.data() + colon + 1, end, found.port);
    if (text[colon] != ':' || error != std::errc{} || last != end || found.port == 0 ||
        found.port > port_max) {
        throw driver_error(errc::bad_argument, "host: a port must be a number from 1 to 65535");
    }
    return found;
}

}  // namespace

std::vector<host_and_port> hosts_of(mysql::connect_options const& chosen)
{
    std::vector<host_and_port> all;
    for (std::size_t from = 0; from <= chosen.host.size();) {
        auto const end = std::min(chosen.host.find(',', from), chosen.host.size());
        all.push_back(read_host(chosen.host.substr(from, end - from), chosen.port));
        from = end + 1;
    }
    return all;
}

void check_options(mysql::connect_options const& chosen, std::string const& resource_manager)
{
    try {
        auto const hosts = hosts_of(chosen);
        bool const has_empty = std::any_of(hosts.begin(), hosts.end(),
                                           [](auto const& each) { return each.host.empty(); });
        if (hosts.size() > 1 && has_empty)
            throw driver_error(errc::bad_argument, "host: one of the hosts is empty");
    } catch (driver_error const& error) {
        refuse(resource_manager, error.what());
    }
    tls_mode const mode = mode_of(chosen);
    if (chosen.ssl_cert.empty() != chosen.ssl_key.empty()) {
        refuse(resource_manager, "ssl_cert and ssl_key must be given together, or not at all");
    }
    if (mode == tls_mode::disabled && (names_authorities(chosen) || !chosen.ssl_cert.empty())) {
        refuse(resource_manager,
               "ssl_mode=disabled, but certificates are given: drop one of the two");
    }
    if (does_verify(mode) && !names_authorities(chosen)) {
        refuse(resource_manager,
               "this ssl_mode verifies the server's certificate, and no authority is named: give "
               "ssl_ca or ssl_capath");
    }
    if (!does_verify(mode) && names_authorities(chosen)) {
        refuse(resource_manager,
               "ssl_ca and ssl_capath are of no use in this ssl_mode, which verifies nothing: "
               "choose verify_identity, or drop them");
    }
    for (auto const& each : chosen.attributes) {
        if (each.first.empty()) refuse(resource_manager, "a connection attribute has no name");
    }
#ifdef LIBMARIADB
    if (mode == tls_mode::verify_ca) {
        refuse(resource_manager,
               "MariaDB Connector/C cannot verify the authority without the server's name: choose "
               "ssl_mode=verify_identity, or build Assent with MySQL's libmysqlclient");
    }
    if (chosen.compress == compression::zstd) {
        refuse(resource_manager,
               "MariaDB Connector/C does not compress by zstd here: choose compress=zlib");
    }
#endif
}

void apply_options(MYSQL* handle, mysql::connect_options const& chosen, bool is_work)
{
    apply_tls(handle, chosen);
    apply_compression(handle, chosen.compress);
    bool const is_chosen = is_work && !chosen.character_set.empty();
    mysql_options(handle, MYSQL_SET_CHARSET_NAME,
                  is_chosen ? chosen.character_set.c_str() : "utf8mb4");
    for (auto const& [name, value] : chosen.attributes)
        mysql_options4(handle, MYSQL_OPT_CONNECT_ATTR_ADD, name.c_str(), value.c_str());
}

std::string why_not_encrypted(MYSQL* handle, mysql::connect_options const& chosen)
{
    tls_mode const mode = mode_of(chosen);
    bool const is_required = mode == tls_mode::required || does_verify(mode);
    if (!is_required || is_encrypted(handle)) return {};
    return "the connection is not encrypted, though ssl_mode requires it: set up TLS on the server";
}

}  // namespace assent::mysql_adapter
