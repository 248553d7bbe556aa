#include "gateway/canonical/action.hpp"

#include "gateway/canonical/jcs.hpp"
#include "gateway/canonical/sha256.hpp"

namespace sallyport {
namespace {

void append_member(std::string& to, std::string_view name, std::string_view text)
{
    append_jcs_string(to, name);
    to += ':';
    append_jcs_string(to, text);
}

/// The members in the order of RFC 8785: authority, content_digest, headers, method, target.
template <class Headers>
digest digest_of(std::string_view method, std::string_view authority, std::string_view target, const Headers& headers,
                 std::optional<std::string_view> content_digest)
{
    std::string text = "{";
    append_member(text, "authority", authority);
    text += ',';
    if (content_digest) {
        append_member(text, "content_digest", *content_digest);
    } else {
        text += "\"content_digest\":null";
    }
    text += ",\"headers\":[";
    bool first = true;
    for (const auto& [name, value] : headers) {
        text += first ? "[" : ",[";
        first = false;
        append_jcs_string(text, name);
        text += ',';
        append_jcs_string(text, field_text(value));
        text += ']';
    }
    text += "],";
    append_member(text, "method", method);
    text += ',';
    append_member(text, "target", target);
    text += '}';
    return sha256(text);
}

}  // namespace

std::string field_text(std::string_view value)
{
    std::string text;
    text.reserve(value.size());
    for (const char c : value) {
        const auto b = static_cast<unsigned char>(c);
        if (b < 0x80) {
            text += c;
        } else {
            text += static_cast<char>(0xc0 | b >> 6);
            text += static_cast<char>(0x80 | (b & 0x3f));
        }
    }
    return text;
}

digest action_digest(const action& a) { return digest_of(a.method, a.authority, a.target, a.headers, a.content_digest); }

digest action_digest(std::string_view method, std::string_view authority, std::string_view target, std::span<const field> headers,
                     std::optional<std::string_view> content_digest)
{
    return digest_of(method, authority, target, headers, content_digest);
}

}  // namespace sallyport
