// TLS on a stream's own descriptor: OpenSSL reads and writes the socket at once and says when that would block, as a
// plain stream does. Nothing of OpenSSL shows here.
#pragma once

#include "workflows/result.hpp"

#include <cstddef>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>

struct ssl_st;
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

private:
    friend class tls_session;
    explicit tls_context(bool server);
    static int new_session(ssl_st*, ssl_session_st*);

    ssl_ctx_st* context_;
    bool server_;
    std::map<std::string, ssl_session_st*, std::less<>> sessions_;  // a client's, one a peer (RFC 8446 §2.2)
};

/// One connection's TLS, on a descriptor that it does not own. For `stream`.
class tls_session {
public:
    enum class state { done, wants_read, wants_write, closed, failed };
    struct outcome {
        tls_session::state state;
        std::size_t bytes = 0;
    };

    /// A server's.
    tls_session(std::shared_ptr<tls_context>, int descriptor);
    /// A client's: the certificate must be for `peer`, a name or a literal address; sessions are remembered by `key`.
    tls_session(std::shared_ptr<tls_context>, int descriptor, const std::string& peer, std::string key);
    ~tls_session();
    tls_session(const tls_session&) = delete;
    tls_session& operator=(const tls_session&) = delete;

    outcome handshake() noexcept;
    outcome read(std::span<char>) noexcept;
    /// After `wants_…` the same bytes must come again, perhaps with more behind them.
    outcome write(std::string_view) noexcept;
    /// One byte's worth of looking; takes nothing.
    outcome peek() noexcept;
    /// Decrypted bytes lie here: a read gives them, whatever the socket says.
    bool has_bytes() const noexcept;
    /// Says to the peer that nothing more comes; does not wait for its answer.
    void close_notify() noexcept;

    bool resumed() const noexcept;
    /// The peer showed a certificate that does not verify, or for another name.
    bool untrusted() const noexcept;
    /// Why the last step failed, in OpenSSL's words.
    const std::string& why() const noexcept { return why_; }

private:
    friend class tls_context;
    outcome judge(int returned, std::size_t bytes) noexcept;

    std::shared_ptr<tls_context> context_;
    ssl_st* ssl_;
    std::string key_;
    std::string why_;
};

}  // namespace sallyport::http
