// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "tests/servers/tls_channel.hpp"

#include <stdexcept>
#include <utility>

#ifdef ASSENT_TEST_OPENSSL

#include <openssl/err.h>
#include <openssl/ssl.h>

namespace assent::testing {

namespace {

struct context_deleter
{
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
using context = std::unique_ptr<SSL_CTX, context_deleter>;

struct ssl_deleter
{
    void operator()(SSL* ssl) const { SSL_free(ssl); }
};

void require(bool is_done, char const* what)
{
    if (is_done) return;
    ERR_clear_error();
    throw std::runtime_error(std::string{"TLS: "} + what);
}

}  // namespace

struct tls_channel::impl
{
    explicit impl(context from) : settings(std::move(from)), ssl(SSL_new(settings.get()))
    {
        require(ssl != nullptr, "no channel");
        incoming = BIO_new(BIO_s_mem());
        outgoing = BIO_new(BIO_s_mem());
        require(incoming != nullptr && outgoing != nullptr, "no memory");
        SSL_set_bio(ssl.get(), incoming, outgoing);  // which owns both now
    }

    /// Goes on with the handshake, and says what waited for its end.
    void advance()
    {
        if (SSL_is_init_finished(ssl.get()) == 0) SSL_do_handshake(ssl.get());
        if (SSL_is_init_finished(ssl.get()) == 0 || waiting.empty()) return;
        // After an alert nothing more is written; the sockets show the end.
        SSL_write(ssl.get(), waiting.data(), static_cast<int>(waiting.size()));
        waiting.clear();
    }

    context settings;
    std::unique_ptr<SSL, ssl_deleter> ssl;
    BIO* incoming = nullptr;
    BIO* outgoing = nullptr;
    std::string waiting;
};

bool tls_channel::are_here() noexcept
{
    return true;
}

tls_channel tls_channel::to_client(std::string const& directory)
{
    context settings{SSL_CTX_new(TLS_server_method())};
    require(settings != nullptr, "no context");
    SSL_CTX_set_session_cache_mode(settings.get(), SSL_SESS_CACHE_OFF);
    auto const certificate = directory + "/cert.pem";
    auto const key = directory + "/key.pem";
    require(
        SSL_CTX_use_certificate_file(settings.get(), certificate.c_str(), SSL_FILETYPE_PEM) == 1 &&
            SSL_CTX_use_PrivateKey_file(settings.get(), key.c_str(), SSL_FILETYPE_PEM) == 1,
        "no certificate");
    auto made = std::make_unique<impl>(std::move(settings));
    SSL_set_accept_state(made->ssl.get());
    return tls_channel{std::move(made)};
}

tls_channel tls_channel::to_server()
{
    context settings{SSL_CTX_new(TLS_client_method())};
    require(settings != nullptr, "no context");
    auto made = std::make_unique<impl>(std::move(settings));
    SSL_set_connect_state(made->ssl.get());
    made->advance();  // the client is the one who begins
    return tls_channel{std::move(made)};
}

std::string tls_channel::receive(std::string_view encrypted)
{
    if (!encrypted.empty()) {
        BIO_write(impl_->incoming, encrypted.data(), static_cast<int>(encrypted.size()));
    }
    impl_->advance();
    std::string plain;
    char buffer[16384];
    for (int got = 0; (got = SSL_read(impl_->ssl.get(), buffer, sizeof buffer)) > 0;)
        plain.append(buffer, static_cast<std::size_t>(got));
    impl_->advance();
    ERR_clear_error();  // "wants more" is no error, and an end of the channel is seen by its socket
    return plain;
}

void tls_channel::say(std::string_view plain)
{
    impl_->waiting.append(plain);
    impl_->advance();
}

std::string tls_channel::take_output()
{
    char* bytes = nullptr;
    auto const size = BIO_get_mem_data(impl_->outgoing, &bytes);
    std::string taken(bytes, static_cast<std::size_t>(size));
    static_cast<void>(BIO_reset(impl_->outgoing));
    return taken;
}

}  // namespace assent::testing

#else

namespace assent::testing {

struct tls_channel::impl
{
};

bool tls_channel::are_here() noexcept
{
    return false;
}

tls_channel tls_channel::to_client(std::string const&)
{
    throw std::runtime_error("this build has no OpenSSL");
}

tls_channel tls_channel::to_server()
{
    throw std::runtime_error("this build has no OpenSSL");
}

std::string tls_channel::receive(std::string_view)
{
    return {};
}
void tls_channel::say(std::string_view) {}
std::string tls_channel::take_output()
{
    return {};
}

}  // namespace assent::testing

#endif

namespace assent::testing {

tls_channel::tls_channel(std::unique_ptr<impl> made) noexcept : impl_(std::move(made)) {}
tls_channel::tls_channel(tls_channel&&) noexcept = default;
tls_channel& tls_channel::operator=(tls_channel&&) noexcept = default;
tls_channel::~tls_channel() = default;

}  // namespace assent::testing
