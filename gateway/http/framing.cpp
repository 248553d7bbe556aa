#include "gateway/http/framing.hpp"

#include "gateway/http/characters.hpp"
#include "gateway/http/head.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <new>

namespace sallyport::http {
namespace {

using namespace detail;

bool valid_port(std::string_view digits) noexcept
{
    if (digits.empty() || digits.size() > 5) return false;
    unsigned value = 0;
    for (const char c : digits) {
        if (!is_digit(c)) return false;
        value = value * 10 + static_cast<unsigned>(c - '0');
    }
    return value <= 65535;
}

// RFC 9112 §3.1. The registered methods are upper case; a parser that folds case would see another method than one
// that does not.
const char* check_method(std::string_view method) noexcept
{
    if (method.empty() || method.size() > 24 || !is_upper(method.front())) return "the method is not a name in upper case";
    for (const char c : method)
        if (!is_upper(c) && c != '-') return "the method is not a name in upper case";
    if (method == "CONNECT" || method == "TRACE") return "CONNECT and TRACE are not served";
    return nullptr;
}

// RFC 9112 §3.2: origin-form or absolute-form.
const char* check_target(std::string_view target) noexcept
{
    for (const char c : target)
        if (const auto byte = static_cast<unsigned char>(c); byte <= 0x20 || byte >= 0x7F || c == '#')
            return "the request target has a character that it may not have";
    if (target.starts_with('/')) return nullptr;
    for (const std::string_view scheme : {std::string_view("http://"), std::string_view("https://")})
        if (target.size() > scheme.size() && equals_ignoring_case(target.substr(0, scheme.size()), scheme)) {
            const std::string_view rest = target.substr(scheme.size());
            if (!valid_authority(rest.substr(0, rest.find_first_of("/?"))))
                return "the request target's authority is not host or host:port";
            return nullptr;
        }
    return "the request target is neither a path nor an absolute URL";
}

// RFC 9112 §2.3; two digits of version and nothing else are known.
bool take_version(std::string_view text, std::uint8_t& minor) noexcept
{
    if (text == "HTTP/1.1")
        minor = 1;
    else if (text == "HTTP/1.0")
        minor = 0;
    else
        return false;
    return true;
}

}  // namespace

bool valid_authority(std::string_view authority) noexcept
{
    std::string_view host = authority;
    if (authority.starts_with('[')) {
        const std::size_t end = authority.find(']');
        if (end == std::string_view::npos) return false;
        host = authority.substr(1, end - 1);
        const std::string_view behind = authority.substr(end + 1);
        if (!behind.empty() && (behind.front() != ':' || !valid_port(behind.substr(1)))) return false;
        std::array<char, INET6_ADDRSTRLEN> text{};
        if (host.size() >= text.size()) return false;
        host.copy(text.data(), host.size());
        in6_addr address;
        return host.find('\0') == std::string_view::npos && inet_pton(AF_INET6, text.data(), &address) == 1;
    }
    if (const std::size_t colon = authority.find(':'); colon != std::string_view::npos) {
        if (!valid_port(authority.substr(colon + 1))) return false;
        host = authority.substr(0, colon);
    }
    if (host.empty() || host.size() > 255) return false;
    for (const char c : host)
        if (!is_digit(c) && !(lower(c) >= 'a' && lower(c) <= 'z') && c != '-' && c != '.' && c != '_' && c != '~') return false;
    return true;
}

namespace detail {

void head_check::restart() noexcept
{
    facts_ = {};
    hosts_ = 0;
    transfer_encoding_ = first_line_done_ = false;
    line_start_ = searched_ = 0;
}

result<bool> head_check::look(std::string_view bytes, field* into, bool (*may_begin)(char), checks first_line, checks at_end)
{
    bool at_once = searched_ == 0;
    const auto refuse = [](const char* why) { return fail(problem::malformed_request, why); };
    // An empty line before the first (RFC 9112 §2.2 lets servers skip one), or TLS on a plain port: said at once, not when
    // a line end comes, for that may be never.
    if (!first_line_done_ && !bytes.empty() && !may_begin(bytes.front())) return refuse("the message does not begin with its first line");
    for (;;) {
        const void* const found =
            searched_ < bytes.size() ? std::memchr(bytes.data() + searched_, '\n', bytes.size() - searched_) : nullptr;
        if (!found) {
            searched_ = bytes.size();
            if (bytes.size() >= limit_) return refuse("the head is too large");
            return false;
        }
        const auto end = static_cast<std::size_t>(static_cast<const char*>(found) - bytes.data());
        if (end >= limit_) return refuse("the head is too large");
        // RFC 9112 §2.2: who takes a bare LF for a line end and who does not see two different heads.
        if (end == line_start_ || bytes[end - 1] != '\r') return refuse("a line does not end with CR LF");
        const std::string_view line = bytes.substr(line_start_, end - 1 - line_start_);
        line_start_ = searched_ = end + 1;

        const char* why = nullptr;
        if (!first_line_done_) {
            why = first_line(*this, line);
            first_line_done_ = true;
        } else if (line.empty()) {
            facts_.head_bytes = end + 1;
            why = at_end(*this, line);
            if (!why && at_once) return true;
            // It came in pieces, and the bytes may have moved meanwhile: sound as it is, it is read once more as a whole.
            if (!why) {
                restart();
                at_once = true;
                continue;
            }
        } else {
            why = field_line(line, at_once ? into : nullptr);
        }
        if (why) return refuse(why);
    }
}

// RFC 9112 §5: field-name ":" OWS field-value OWS.
const char* head_check::field_line(std::string_view line, field* into)
{
    const std::size_t place = facts_.fields++;
    if (place == max_fields) return "too many header fields";
    const std::size_t colon = token_length(line);
    if (colon == 0 && is_blank(line.front())) return "a header field is folded over lines";                                     // §5.2
    if (colon < line.size() && is_blank(line[colon])) return "white space stands between a header field's name and its colon";  // §5.1
    if (colon == 0 || colon == line.size() || line[colon] != ':') return "a header field's name is not a token";
    const std::string_view value = trim_blanks(line.substr(colon + 1));
    if (has_control(value)) return "a header field's value has a control character";  // a bare CR or NUL too: §2.2, RFC 9110 §5.5
    const std::string_view name = line.substr(0, colon);
    if (into) new (into + place) field{name, value};
    return known_field(name, value);
}

const char* head_check::known_field(std::string_view name, std::string_view value)
{
    switch (name.size()) {
    case 4:
        if (!equals_ignoring_case(name, "host")) return nullptr;
        if (++hosts_ > 1) return "there is more than one Host";  // RFC 9112 §3.2
        facts_.host = value;
        return valid_authority(value) ? nullptr : "Host is not host or host:port";
    case 6:
        // RFC 9110 §10.1.1; another expectation is nobody's business here.
        if (equals_ignoring_case(name, "expect")) facts_.expect_continue = equals_ignoring_case(value, "100-continue");
        return nullptr;
    case 10: return equals_ignoring_case(name, "connection") ? connection(value) : nullptr;
    case 14:
        // `Content_Length`: a CGI-like server reads it as Content-Length.
        if (equals_ignoring_case(name, "content_length")) return "Content_Length is not a name that is taken";
        return equals_ignoring_case(name, "content-length") ? content_length(value) : nullptr;
    case 17:
        if (equals_ignoring_case(name, "transfer_encoding")) return "Transfer_Encoding is not a name that is taken";
        if (!equals_ignoring_case(name, "transfer-encoding")) return nullptr;
        if (transfer_encoding_) return "there is more than one Transfer-Encoding";
        transfer_encoding_ = true;
        // RFC 9112 §6.1 would allow further codings in front; none is understood here, and lists are where parsers differ.
        if (!equals_ignoring_case(value, "chunked")) return "the only Transfer-Encoding taken is chunked";
        facts_.chunked = true;
        return nullptr;
    default: return nullptr;
    }
}

// RFC 9110 §7.6.1: names alone, for each of them takes a field out of what is sent on.
const char* head_check::connection(std::string_view value)
{
    while (!value.empty()) {
        const std::size_t comma = std::min(value.find(','), value.size());
        const std::string_view name = trim_blanks(value.substr(0, comma));
        value.remove_prefix(std::min(comma + 1, value.size()));
        if (!name.empty() && !is_token(name)) return "Connection is not a list of names";
        facts_.close = facts_.close || equals_ignoring_case(name, "close");
        facts_.keep_alive = facts_.keep_alive || equals_ignoring_case(name, "keep-alive");
    }
    return nullptr;
}

// RFC 9112 §6.2 and §6.3: digits and nothing else, once, even if a second one were equal.
const char* head_check::content_length(std::string_view value)
{
    if (facts_.content_length) return "there is more than one Content-Length";
    if (value.empty() || value.size() > 19 || (value.size() > 1 && value.front() == '0')) return "Content-Length is not a number";
    std::uint64_t number = 0;  // 19 digits fit
    for (const char c : value) {
        if (!is_digit(c)) return "Content-Length is not a number";
        number = number * 10 + static_cast<std::uint64_t>(c - '0');
    }
    if (number > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) return "Content-Length is not a number";
    facts_.content_length = number;
    return nullptr;
}

}  // namespace detail

result<bool> request_framing::look(std::string_view bytes, field* into)
{
    return head_check::look(bytes, into, is_upper, request_line, whole);
}

const char* request_framing::request_line(head_check& check, std::string_view line)
{
    auto& self = static_cast<request_framing&>(check);
    // RFC 9112 §3: exactly two single spaces; a target with white space in it ends here, as a bad version.
    const std::size_t first = line.find(' ');
    const std::size_t second = first == std::string_view::npos ? first : line.find(' ', first + 1);
    if (second == std::string_view::npos) return "the request line is not method, target and version";
    framing& facts = self.facts_;
    facts.method = line.substr(0, first);
    facts.target = line.substr(first + 1, second - first - 1);
    if (const char* why = check_method(facts.method)) return why;
    if (const char* why = check_target(facts.target)) return why;
    if (!take_version(line.substr(second + 1), facts.minor_version)) return "the version is neither HTTP/1.1 nor HTTP/1.0";
    return nullptr;
}

const char* request_framing::whole(head_check& check, std::string_view)
{
    const auto& self = static_cast<request_framing&>(check);
    if (self.hosts_ == 0 && self.facts_.minor_version == 1) return "there is no Host";  // RFC 9112 §3.2
    if (self.transfer_encoding_) {
        // RFC 9112 §6.1 and §6.3: the signs of request smuggling.
        if (self.facts_.content_length) return "Content-Length and Transfer-Encoding contradict one another";
        if (self.facts_.minor_version == 0) return "Transfer-Encoding does not exist in HTTP/1.0";
    }
    return nullptr;
}

result<bool> response_framing::look(std::string_view bytes, field* into)
{
    return head_check::look(
        bytes, into, [](char c) { return c == 'H'; }, status_line, whole);
}

const char* response_framing::status_line(head_check& check, std::string_view line)
{
    auto& self = static_cast<response_framing&>(check);
    // RFC 9112 §4: HTTP-version SP 3DIGIT SP [ reason-phrase ]
    if (line.size() < 13 || line[8] != ' ' || line[12] != ' ' || !take_version(line.substr(0, 8), self.facts_.minor_version))
        return "the status line is not version, status and reason";
    int status = 0;
    for (const char c : line.substr(9, 3)) {
        if (!is_digit(c)) return "the status is not a number";
        status = status * 10 + (c - '0');
    }
    if (status < 100 || status > 599) return "the status is not from 100 to 599";
    self.facts_.reason = line.substr(13);
    if (has_control(self.facts_.reason)) return "the reason phrase has a control character";
    self.facts_.status = status;
    return nullptr;
}

const char* response_framing::whole(head_check& check, std::string_view)
{
    const auto& self = static_cast<response_framing&>(check);
    const framing& facts = self.facts_;
    if (self.transfer_encoding_) {
        if (facts.content_length) return "Content-Length and Transfer-Encoding contradict one another";
        if (facts.minor_version == 0) return "Transfer-Encoding does not exist in HTTP/1.0";
    }
    // RFC 9110 §15.2, §15.3.5, §8.6: no body follows these, but a parser that looks at the fields alone would wait for one.
    if ((facts.status < 200 || facts.status == 204) && (self.transfer_encoding_ || facts.content_length.value_or(0) > 0))
        return "a status that has no body announces one";
    return nullptr;
}

}  // namespace sallyport::http
