// TLS on a stream's own socket: OpenSSL writes and reads the socket at once and says when it would block, as plain
// streams do. Nothing of OpenSSL shows here.
#pragma once

#include "workflows/result.hpp"

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>

struct ssl_ctx_st;
struct ssl_session_st;

namespace sallyport::http {

/// Certificates and rules of one side: TLS 1.2 at least, no renegotiation, no compression, ALPN `http/1.1`. A server's
/// context may be shared by all cores; a client's belongs to one core, for it remembers sessions.
class tls_context {
public:
    /// PEM chain and key. A failure is `invalid_input` and names the file, not its content.
    static result<std::shared_ptr<tls_context>> server(const std::filesystem::path& certificate, const std::filesystem::path& key);
    /// Verifies the peer against the PEM certificates in `ca`, or the system's when it is empty.
    static result<std::shared_ptr<tls_context>> client(const std::filesystem::path& ca);

    ~tls_context();
    tls_context(const tls_context&) = delete;
    tls_context& operator=(const tls_context&) = delete;

    ssl_ctx_st* native() const noexcept { return context_; }

    /// The session to resume with that peer, or null (RFC 8446 §2.2). Used by `stream`.
    ssl_session_st* session_for(const std::string& peer) const noexcept;
    void remember(const std::string& peer, ssl_session_st*);  // takes it

private:
    explicit tls_context(ssl_ctx_st* context) noexcept : context_(context) {}
    ssl_ctx_st* context_;
    std::map<std::string, ssl_session_st*, std::less<>> sessions_;
};

}  // namespace sallyport::http
