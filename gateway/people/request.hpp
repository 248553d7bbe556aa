// Reading what comes from outside on the people's side: hosts, origins, cookies, query strings, JSON bodies. Pure.
#pragma once

#include "gateway/canonical/json.hpp"
#include "gateway/http/head.hpp"
#include "gateway/people/call.hpp"
#include "workflows/result.hpp"

#include <chrono>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::people {

inline constexpr std::string_view session_cookie = "sallyport_session";

/// `https://gate.example:8443` of a URL with that origin, as browsers write it (RFC 6454 §6.2): lower case, without
/// the scheme's own port.
std::string origin_of(std::string_view url);
/// The Host field names that origin's host and port (RFC 9110 §7.2).
bool is_host_of(std::string_view host, std::string_view origin);

/// The token, where exactly one cookie of that name is there; a second one may have been planted by another site of
/// the domain.
std::string session_of(std::span<const http::field>);
/// The same of any cookie of ours; longer values than `longest` are none.
std::string cookie_of(std::span<const http::field>, std::string_view name, std::size_t longest);
/// `secure`: public_url is https. An empty token ends the cookie.
std::string set_cookie(std::string_view token, std::chrono::seconds life, bool secure);

/// The User-Agent field's visible ASCII, at most 200 bytes; empty where there is none.
std::string user_agent_of(std::span<const http::field>);

/// `application/json`, with no charset or UTF-8.
bool is_json(std::string_view content_type);

struct target {
    std::vector<std::string> path;  // decoded segments
    std::vector<parameter> query;
};
/// `malformed_request` for broken escapes, controls and what is not UTF-8.
result<target> read_target(std::string_view request_target);

/// A JSON object all of whose members are known: `malformed_request` otherwise, naming the stranger.
class message {
public:
    static result<message> read(std::string_view text, std::initializer_list<std::string_view> known);

    /// None where it is missing or null; `malformed_request` where it is no string.
    result<std::optional<std::string>> text(std::string_view name) const;
    const json::value* find(std::string_view name) const noexcept;

private:
    explicit message(json::document document) : document_(std::move(document)) {}
    json::document document_;
};

/// Only these, each at most once: `malformed_request` otherwise.
result<void> check_query(const std::vector<parameter>&, std::initializer_list<std::string_view> known);
std::optional<std::string_view> find(const std::vector<parameter>&, std::string_view name);
/// `limit`: 1 to `most`.
result<std::size_t> read_limit(const std::vector<parameter>&, std::size_t otherwise, std::size_t most);

}  // namespace sallyport::people
