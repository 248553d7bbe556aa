#include "gateway/http/tls.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdint>
#include <new>
#include <utility>

namespace sallyport::http {
namespace {

constexpr std::size_t max_sessions = 256;  // remembered by one client context

// OpenSSL's own socket BIO writes with write(2), which raises SIGPIPE when the peer is gone.
int descriptor_of(BIO* bio) { return static_cast<int>(reinterpret_cast<std::intptr_t>(BIO_get_data(bio))); }

template <class Call>
int transfer_once(BIO* bio, std::size_t* done, Call call)
{
    BIO_clear_retry_flags(bio);
    *done = 0;
    for (;;) {
        const ssize_t n = call(descriptor_of(bio));
        if (n > 0) {
            *done = static_cast<std::size_t>(n);
            return 1;
        }
        if (n < 0 && errno == EINTR) continue;
        return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) ? -1 : 0;
    }
}

int bio_write(BIO* bio, const char* data, std::size_t size, std::size_t* done)
{
    const int result = transfer_once(bio, done, [=](int fd) { return ::send(fd, data, size, MSG_NOSIGNAL | MSG_DONTWAIT); });
    if (result < 0) BIO_set_retry_write(bio);
    return std::max(result, 0);
}

int bio_read(BIO* bio, char* data, std::size_t size, std::size_t* done)
{
    const int result = transfer_once(bio, done, [=](int fd) { return ::recv(fd, data, size, MSG_DONTWAIT); });
    if (result < 0) BIO_set_retry_read(bio);
    return std::max(result, 0);
}

long bio_control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH || command == BIO_CTRL_DUP ? 1 : 0; }

BIO_METHOD* socket_method()
{
    static BIO_METHOD* const method = [] {
        BIO_METHOD* const m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket without SIGPIPE");
        if (!m) throw std::bad_alloc();
        BIO_meth_set_write_ex(m, bio_write);
        BIO_meth_set_read_ex(m, bio_read);
        BIO_meth_set_ctrl(m, bio_control);
        return m;
    }();
    return method;
}

std::string last_error()
{
    std::array<char, 256> text{};
    const unsigned long code = ERR_peek_last_error();
    if (code == 0) return "the connection ended";
    ERR_error_string_n(code, text.data(), text.size());
    return text.data();
}

constexpr unsigned char http_1_1[] = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};

int select_protocol(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* offered, unsigned int offered_size,
                    void*)
{
    unsigned char* chosen = nullptr;
    if (SSL_select_next_proto(&chosen, out_size, http_1_1, sizeof http_1_1, offered, offered_size) != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;  // RFC 7301 §3.2: it speaks something else only
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

// A key with a passphrase must fail, not ask the terminal.
int no_passphrase(char*, int, int, void*) { return -1; }

bool literal_address(const std::string& text)
{
    in6_addr address;
    return inet_pton(AF_INET, text.c_str(), &address) == 1 || inet_pton(AF_INET6, text.c_str(), &address) == 1;
}

}  // namespace

tls_context::tls_context(bool server) : context_(SSL_CTX_new(server ? TLS_server_method() : TLS_client_method())), server_(server)
{
    if (!context_) throw std::bad_alloc();
    SSL_CTX_set_min_proto_version(context_, TLS1_2_VERSION);
    SSL_CTX_set_options(context_, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE);
    // An idle connection keeps no record buffers (about 34 KiB otherwise).
    SSL_CTX_set_mode(context_, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_default_passwd_cb(context_, no_passphrase);
    SSL_CTX_set_app_data(context_, this);
}

tls_context::~tls_context()
{
    for (const auto& [peer, session] : sessions_) SSL_SESSION_free(session);
    SSL_CTX_free(context_);
}

result<std::shared_ptr<tls_context>> tls_context::server(const std::filesystem::path& certificate, const std::filesystem::path& key)
{
    ERR_clear_error();
    std::shared_ptr<tls_context> made(new tls_context(true));
    SSL_CTX* const context = made->context_;
    if (SSL_CTX_use_certificate_chain_file(context, certificate.c_str()) != 1)
        return fail(problem::invalid_input, "no certificate chain in PEM can be read from " + certificate.string(), last_error());
    if (SSL_CTX_use_PrivateKey_file(context, key.c_str(), SSL_FILETYPE_PEM) != 1)
        return fail(problem::invalid_input,
                    "no private key in PEM without a passphrase, that fits the certificate, can be read from " + key.string(),
                    last_error());
    if (SSL_CTX_check_private_key(context) != 1)
        return fail(problem::invalid_input, "the key in " + key.string() + " does not belong to the certificate in " + certificate.string(),
                    last_error());
    SSL_CTX_set_alpn_select_cb(context, select_protocol, nullptr);
    static constexpr unsigned char name[] = "sallyport";
    SSL_CTX_set_session_id_context(context, name, sizeof name - 1);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);  // tickets resume without a table of ours
    SSL_CTX_set_num_tickets(context, 1);
    return made;
}

result<std::shared_ptr<tls_context>> tls_context::client(const std::filesystem::path& ca)
{
    ERR_clear_error();
    std::shared_ptr<tls_context> made(new tls_context(false));
    SSL_CTX* const context = made->context_;
    const bool loaded = ca.empty() ? SSL_CTX_set_default_verify_paths(context) == 1 : SSL_CTX_load_verify_file(context, ca.c_str()) == 1;
    if (!loaded)
        return fail(problem::invalid_input,
                    ca.empty() ? "the system's certificates cannot be read" : "no certificate in PEM can be read from " + ca.string(),
                    last_error());
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
    SSL_CTX_set_alpn_protos(context, http_1_1, sizeof http_1_1);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context, new_session);
    return made;
}

// OpenSSL calls this inside a read, when the server's ticket comes. Returns 1 when it keeps the session.
int tls_context::new_session(SSL* ssl, SSL_SESSION* session)
{
    const auto* const one = static_cast<const tls_session*>(SSL_get_app_data(ssl));
    try {
        auto& sessions = one->context_->sessions_;
        if (sessions.size() >= max_sessions && !sessions.contains(one->key_)) return 0;
        SSL_SESSION*& kept = sessions[one->key_];
        if (kept) SSL_SESSION_free(kept);
        kept = session;
        return 1;
    } catch (const std::bad_alloc&) {
        return 0;
    }
}

tls_session::tls_session(std::shared_ptr<tls_context> context, int descriptor)
    : context_(std::move(context)),
      ssl_(SSL_new(context_->context_))
{
    BIO* const bio = ssl_ ? BIO_new(socket_method()) : nullptr;
    if (!bio) {
        SSL_free(ssl_);
        throw std::bad_alloc();
    }
    // NOLINTNEXTLINE(performance-no-int-to-ptr): the place for one pointer holds a descriptor, and nobody follows it
    BIO_set_data(bio, reinterpret_cast<void*>(static_cast<std::intptr_t>(descriptor)));
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl_, bio, bio);
    SSL_set_app_data(ssl_, this);
    if (context_->server_)
        SSL_set_accept_state(ssl_);
    else
        SSL_set_connect_state(ssl_);
}

tls_session::tls_session(std::shared_ptr<tls_context> context, int descriptor, const std::string& peer, std::string key)
    : tls_session(std::move(context), descriptor)
{
    key_ = std::move(key);  // NOLINT(cppcoreguidelines-prefer-member-initializer): the constructor delegates
    // If any of these fails the certificate is checked against nothing, so the handshake must fail.
    bool set = true;
    if (literal_address(peer)) {
        set = X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl_), peer.c_str()) == 1;
    } else {
        SSL_set_hostflags(ssl_, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
        set = SSL_set1_host(ssl_, peer.c_str()) == 1 &&
              // SSL_set_tlsext_host_name, without its C cast
              // NOLINTNEXTLINE(cppcoreguidelines-pro-type-const-cast): OpenSSL's signature; it copies the name
              SSL_ctrl(ssl_, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, const_cast<char*>(peer.c_str())) == 1;
    }
    if (!set || peer.empty()) throw std::bad_alloc();
    if (const auto known = context_->sessions_.find(key_); known != context_->sessions_.end()) {
        SSL_set_session(ssl_, known->second);
        // RFC 8446 §C.4: a ticket is used once, lest its connections can be linked, and lest a bad one is offered for ever.
        SSL_SESSION_free(known->second);
        context_->sessions_.erase(known);
    }
}

tls_session::~tls_session() { SSL_free(ssl_); }

tls_session::outcome tls_session::judge(int returned, std::size_t bytes) noexcept
{
    if (returned > 0) return {state::done, bytes};
    switch (SSL_get_error(ssl_, returned)) {
    case SSL_ERROR_WANT_READ: return {state::wants_read};
    case SSL_ERROR_WANT_WRITE: return {state::wants_write};
    case SSL_ERROR_ZERO_RETURN: return {state::closed};
    default:
        // The end of the connection without close_notify is here as well: what came may be cut (RFC 8446 §6.1).
        try {
            why_ = untrusted() ? X509_verify_cert_error_string(SSL_get_verify_result(ssl_)) : last_error();
        } catch (const std::bad_alloc&) {
            why_.clear();
        }
        ERR_clear_error();
        return {state::failed};
    }
}

tls_session::outcome tls_session::handshake() noexcept
{
    ERR_clear_error();
    return judge(SSL_do_handshake(ssl_), 0);
}

tls_session::outcome tls_session::read(std::span<char> into) noexcept
{
    ERR_clear_error();
    std::size_t bytes = 0;
    const int returned = SSL_read_ex(ssl_, into.data(), into.size(), &bytes);
    return judge(returned, bytes);
}

tls_session::outcome tls_session::write(std::string_view text) noexcept
{
    ERR_clear_error();
    std::size_t bytes = 0;
    const int returned = SSL_write_ex(ssl_, text.data(), text.size(), &bytes);
    return judge(returned, bytes);
}

tls_session::outcome tls_session::peek() noexcept
{
    ERR_clear_error();
    char one = 0;
    std::size_t bytes = 0;
    const int returned = SSL_peek_ex(ssl_, &one, 1, &bytes);
    return judge(returned, bytes);
}

// Not SSL_has_pending: that counts a record of which a part has come, and whoever waited for it would spin.
bool tls_session::has_bytes() const noexcept { return SSL_pending(ssl_) > 0; }

void tls_session::close_notify() noexcept
{
    ERR_clear_error();
    if (SSL_is_init_finished(ssl_)) SSL_shutdown(ssl_);
    ERR_clear_error();
}

bool tls_session::resumed() const noexcept { return SSL_session_reused(ssl_) == 1; }

bool tls_session::untrusted() const noexcept { return SSL_get_verify_result(ssl_) != X509_V_OK; }

}  // namespace sallyport::http
