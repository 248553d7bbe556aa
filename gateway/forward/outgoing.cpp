#include "gateway/forward/outgoing.hpp"

#include "gateway/http/characters.hpp"
#include "gateway/http/head_writer.hpp"

#include <algorithm>

namespace sallyport::forward {

namespace {

using http::head_writer;
using http::detail::has_control;
using http::detail::is_token;

bool is_visible(std::string_view text) noexcept
{
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7F; });
}

// Whom the message is for and what is expected of it, this file alone writes too (RFC 9112 §3.2).
bool is_ours(std::string_view name) noexcept
{
    return http::frames_message(name) || same_ignoring_case(name, "host") || same_ignoring_case(name, "expect");
}

[[nodiscard]] bool put_checked(head_writer& out, const field& one)
{
    if (!is_token(one.name) || is_ours(one.name) || has_control(one.value)) return false;
    out.line(one.name, one.value);
    return true;
}

bool expects_body(std::string_view method) noexcept { return method == "POST" || method == "PUT" || method == "PATCH"; }

}  // namespace

std::vector<field> fields_of(const action& a)
{
    std::vector<field> fields;
    fields.reserve(a.headers.size());
    for (const auto& [name, value] : a.headers) fields.push_back({name, value});
    return fields;
}

bool write_request_head(std::string& text, const outgoing& request, const body_framing& body)
{
    if (!is_token(request.method) || !is_visible(request.target) || request.target.front() != '/' || !is_visible(request.authority))
        return false;
    constexpr std::size_t own_lines = 160;  // the version, Host, Accept-Encoding, Via, the framing
    const std::size_t credential = request.credential ? request.credential->header.size() + request.credential->value.size() : 0;
    head_writer out(text, own_lines + request.method.size() + request.target.size() + request.authority.size() + credential +
                              head_writer::room_for(request.headers) + head_writer::room_for(request.extra));
    out.put(request.method);
    out.put(" ");
    out.put(request.target);
    out.put(" HTTP/1.1\r\n");
    out.line("Host", request.authority);

    for (const field& one : request.headers) {
        // The canonical action has neither (canonical/headers.hpp); should it ever, the gateway's own must be the only one.
        if (request.credential &&
            (same_ignoring_case(one.name, request.credential->header) || same_ignoring_case(one.name, "accept-encoding")))
            continue;
        if (!put_checked(out, one)) return false;
    }
    if (request.credential) {
        if (!put_checked(out, {request.credential->header, request.credential->value})) return false;
        out.line("Accept-Encoding", "identity");
    }
    for (const field& one : request.extra)
        if (!put_checked(out, one)) return false;
    out.line("Via", "1.1 sallyport");

    switch (body.kind) {
    case body_framing::kind::none:
        if (expects_body(request.method)) out.content_length(0);
        break;
    case body_framing::kind::length: out.content_length(body.length); break;
    case body_framing::kind::chunked: out.line("Transfer-Encoding", "chunked"); break;
    }
    out.put("\r\n");
    out.finish();
    return true;
}

}  // namespace sallyport::forward
