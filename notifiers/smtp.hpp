// Sending by SMTP (RFC 5321), by libcurl: one server, its connections, and what its answers mean for a message.
#pragma once

#include "notifiers/channel.hpp"
#include "workflows/secret.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace sallyport::notifiers {

/// Certificates are verified wherever there is TLS, host name included.
enum class smtp_tls {
    from_first_byte,  // smtps://
    required,         // STARTTLS, or nothing is sent
    opportunistic,    // STARTTLS where the server offers it; required where there is a password
    never,            // and a password only to a loopback address
};

struct smtp_server {
    std::string host;  // without brackets
    std::uint16_t port = 587;
    smtp_tls tls = smtp_tls::required;
    std::string user;  // empty: no authentication
    /// Asked for each message, so that it can be changed in place; a text says why there is none, without it.
    std::function<std::variant<secret, std::string>()> password;
    std::filesystem::path ca;                     // PEM; empty: the system's
    std::string greeting;                         // what EHLO says of us: a domain
    duration connect = std::chrono::seconds(10);  // to the end of TLS and authentication
    duration whole = std::chrono::seconds(30);
};

/// Any thread, several at once: each message has a connection to itself, which the next one may use again.
class smtp_sender {
public:
    explicit smtp_sender(smtp_server);
    ~smtp_sender();
    smtp_sender(const smtp_sender&) = delete;
    smtp_sender& operator=(const smtp_sender&) = delete;

    /// None: the server has it. `message` has lines that end with CRLF; addresses are `is_mail_address`.
    std::optional<not_delivered> send(const std::string& from, const std::string& to, const std::string& message);
    /// Of one message: `whole`, and the second in which libcurl may notice that it is over.
    duration longest() const noexcept { return server_.whole + std::chrono::seconds(1); }
    /// What is being sent, and what would be, ends with `later`, within a second or so.
    void cut() noexcept;

private:
    class connections;
    const smtp_server server_;
    const std::unique_ptr<connections> connections_;
    std::atomic<bool> cut_{false};
};

/// How far an exchange came, by what was said last.
enum class smtp_stage { greeting, starttls, authentication, sender, recipient, content };

/// What a reply of 400 or more (`550 5.1.1 no such user`) means for this message.
not_delivered::kind meaning_of(smtp_stage, std::string_view reply) noexcept;

}  // namespace sallyport::notifiers
