#include "gateway/forward/outgoing.hpp"

#include "gateway/http/characters.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace sallyport::forward {

namespace {

using http::detail::has_control;
using http::detail::is_token;

bool is_name(std::string_view name) noexcept { return !name.empty() && std::all_of(name.begin(), name.end(), is_token); }

bool is_visible(std::string_view text) noexcept
{
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7F; });
}

// These say where the message ends and whom it is for: this file alone writes them (RFC 9112 §3.2, §6).
bool frames_message(std::string_view name) noexcept
{
    switch (name.size()) {
    case 2: return same_ignoring_case(name, "te");
    case 4: return same_ignoring_case(name, "host");
    case 6: return same_ignoring_case(name, "expect");
    case 7: return same_ignoring_case(name, "upgrade") || same_ignoring_case(name, "trailer");
    case 10: return same_ignoring_case(name, "connection") || same_ignoring_case(name, "keep-alive");
    case 14: return same_ignoring_case(name, "content-length");
    case 16: return same_ignoring_case(name, "proxy-connection");
    case 17: return same_ignoring_case(name, "transfer-encoding");
    default: return false;
    }
}

void put(std::string& out, std::string_view name, std::string_view value)
{
    out += name;
    out += ": ";
    out += value;
    out += "\r\n";
}

[[nodiscard]] bool put_checked(std::string& out, const field& one)
{
    if (!is_name(one.name) || frames_message(one.name) || has_control(one.value)) return false;
    put(out, one.name, one.value);
    return true;
}

bool expects_body(std::string_view method) noexcept { return method == "POST" || method == "PUT" || method == "PATCH"; }

void put_length(std::string& out, std::uint64_t length)
{
    std::array<char, 20> digits;
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), length).ptr;
    put(out, "Content-Length", {digits.data(), static_cast<std::size_t>(end - digits.data())});
}

}  // namespace

std::vector<field> fields_of(const action& a)
{
    std::vector<field> fields;
    fields.reserve(a.headers.size());
    for (const auto& [name, value] : a.headers) fields.push_back({name, value});
    return fields;
}

bool write_request_head(std::string& out, const outgoing& request, const body_framing& body)
{
    if (!is_name(request.method) || !is_visible(request.target) || request.target.front() != '/' || !is_visible(request.authority))
        return false;
    out += request.method;
    out += ' ';
    out += request.target;
    out += " HTTP/1.1\r\n";
    put(out, "Host", request.authority);

    for (const field& one : request.headers) {
        // The canonical action has neither (canonical/headers.hpp); should it ever, the gateway's own must be the only one.
        if (request.credential &&
            (same_ignoring_case(one.name, request.credential->header) || same_ignoring_case(one.name, "accept-encoding")))
            continue;
        if (!put_checked(out, one)) return false;
    }
    if (request.credential) {
        if (!put_checked(out, {request.credential->header, request.credential->value})) return false;
        put(out, "Accept-Encoding", "identity");
    }
    for (const field& one : request.extra)
        if (!put_checked(out, one)) return false;
    put(out, "Via", "1.1 sallyport");

    switch (body.kind) {
    case body_framing::kind::none:
        if (expects_body(request.method)) put_length(out, 0);
        break;
    case body_framing::kind::length: put_length(out, body.length); break;
    case body_framing::kind::chunked: put(out, "Transfer-Encoding", "chunked"); break;
    }
    out += "\r\n";
    return true;
}

}  // namespace sallyport::forward
