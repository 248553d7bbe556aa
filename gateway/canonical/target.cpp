#include "gateway/canonical/target.hpp"

#include "gateway/canonical/field.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace sallyport {
namespace {

enum class octet : std::uint8_t {
    forbidden,  // controls, space, DEL, `#`, `\`, everything from 0x80 on
    plain,      // may stand in a path as it is
    unwise,     // visible, but not for RFC 3986 §3.3: kept in a query, escaped in a path
    slash,
    dot,
    semicolon,
    question,
    percent,
};

constexpr std::array<octet, 256> make_octets()
{
    std::array<octet, 256> octets{};  // forbidden
    for (std::size_t c = 0x21; c < 0x7f; ++c) octets[c] = octet::plain;
    for (const char c : std::string_view("\"<>[]^`{|}")) octets[static_cast<unsigned char>(c)] = octet::unwise;
    octets['/'] = octet::slash;
    octets['.'] = octet::dot;
    octets[';'] = octet::semicolon;
    octets['?'] = octet::question;
    octets['%'] = octet::percent;
    octets['#'] = octets['\\'] = octet::forbidden;
    return octets;
}
constexpr auto octets = make_octets();

constexpr octet octet_of(char c) noexcept { return octets[static_cast<unsigned char>(c)]; }
constexpr std::string_view upper_hex = "0123456789ABCDEF";

constexpr int hex_value(char c) noexcept
{
    if (c >= '0' && c <= '9') return c - '0';
    const char l = lower(c);
    return l >= 'a' && l <= 'f' ? l - 'a' + 10 : -1;
}

constexpr bool unreserved(unsigned char c) noexcept  // RFC 3986 §2.3
{
    const char l = lower(static_cast<char>(c));
    return (l >= 'a' && l <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
}

failure malformed(const char* what) { return fail(problem::malformed_request, what); }

/// The escape at `i`, a `%`: its byte, or none.
std::optional<unsigned char> escaped_byte(std::string_view s, std::size_t i) noexcept
{
    if (s.size() - i < 3) return std::nullopt;
    const int high = hex_value(s[i + 1]);
    const int low = hex_value(s[i + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    return static_cast<unsigned char>(high << 4 | low);
}

bool upper_case(std::string_view s, std::size_t i) noexcept { return s[i + 1] < 'a' && s[i + 2] < 'a'; }

void append_escape(std::string& to, unsigned char c)
{
    to += '%';
    to += upper_hex[c >> 4];
    to += upper_hex[c & 15];
}

/// Writes what has to change into the scratch, from the first change on; until then nothing is copied.
class form {
public:
    form(std::string_view raw, std::string& scratch) noexcept : raw_(raw), scratch_(scratch) {}

    /// Everything before `i` is as in the raw text so far; what follows will be appended.
    std::string& changed_at(std::size_t i)
    {
        if (!changed_) {
            changed_ = true;
            scratch_.reserve(raw_.size() * 3 + 1);  // every character escaped: no second allocation
            scratch_.assign(raw_, 0, i);
        }
        return scratch_;
    }
    void keep(char c)
    {
        if (changed_) scratch_ += c;
    }
    void keep_escape(std::size_t i, unsigned char c)
    {
        if (changed_ || !upper_case(raw_, i)) append_escape(changed_at(i), c);
    }
    void decode(std::size_t i, unsigned char c) { changed_at(i) += static_cast<char>(c); }
    void escape(std::size_t i, unsigned char c) { append_escape(changed_at(i), c); }

    /// How long the form of the first `raw_length` characters is, once they were read.
    std::size_t length(std::size_t raw_length) const noexcept { return changed_ ? scratch_.size() : raw_length; }
    std::string_view text() const noexcept { return changed_ ? std::string_view(scratch_) : raw_; }

private:
    std::string_view raw_;
    std::string& scratch_;
    bool changed_ = false;
};

/// What a server may take for a segment once it has decoded `%2F` and cut parameters: never `.`, `..` or, between slashes
/// or before a `;`, nothing.
class segment {
public:
    void dot() noexcept
    {
        ++dots_;
        ++length_;
    }
    void other() noexcept { ++length_; }
    bool empty() const noexcept { return length_ == 0; }
    bool only_dots() const noexcept { return length_ == dots_ && (dots_ == 1 || dots_ == 2); }
    void begin() noexcept { dots_ = length_ = 0; }

private:
    std::size_t dots_ = 0;
    std::size_t length_ = 0;
};

const char* const dot_segment = "the path has a segment . or ..";
const char* const empty_segment = "the path has an empty segment";
const char* const broken_escape = "the target has a broken escape";
const char* const bad_character = "the target has a character that no target may have";

/// `raw` begins with `/`. `end` is where the query begins, or the end.
result<void> read_path(std::string_view raw, std::size_t& end, form& out, canonical_target& target)
{
    segment now;
    bool in_parameters = false;       // behind a `;` of this segment
    bool whole_segment_empty = true;  // nothing at all since the last `/`
    out.keep('/');
    std::size_t i = 1;
    for (; i < raw.size(); ++i) {
        const char c = raw[i];
        const octet o = octet_of(c);
        if (o == octet::question) break;
        switch (o) {
        case octet::slash:
            if (whole_segment_empty) return malformed(empty_segment);
            if (!in_parameters && now.only_dots()) return malformed(dot_segment);
            out.keep(c);
            now.begin();
            in_parameters = false;
            whole_segment_empty = true;
            continue;
        case octet::plain:
            now.other();
            out.keep(c);
            break;
        case octet::dot:
            now.dot();
            out.keep(c);
            break;
        case octet::unwise:
            now.other();
            out.escape(i, static_cast<unsigned char>(c));
            break;
        case octet::semicolon:
        case octet::percent: {
            unsigned char b = ';';
            if (o == octet::percent) {
                const auto escaped = escaped_byte(raw, i);
                if (!escaped) return malformed(broken_escape);
                b = *escaped;
            }
            if (b == 0) return malformed("the path has an escaped NUL");
            if (b == '\\') return malformed("the path has a backslash");
            if (b == ';' && !in_parameters) {
                // `/..;a/` is `/../` to whoever cuts the parameters off.
                if (now.empty()) return malformed(empty_segment);
                if (now.only_dots()) return malformed(dot_segment);
                in_parameters = true;
            }
            if (b == ';') target.has_path_parameter = true;
            if (b == '/') {
                target.has_encoded_slash = true;
                if (!in_parameters && now.only_dots()) return malformed(dot_segment);
                now.begin();
                in_parameters = false;
            } else if (b == '.') {
                now.dot();
            } else {
                now.other();
            }
            if (o == octet::semicolon) {
                out.keep(c);
            } else if (unreserved(b)) {
                out.decode(i, b);
            } else {
                out.keep_escape(i, b);
            }
            if (o == octet::percent) i += 2;
            break;
        }
        case octet::forbidden: return malformed(c == '\\' ? "the path has a backslash" : bad_character);
        case octet::question: break;  // ended the loop
        }
        whole_segment_empty = false;
    }
    // One slash at the end is no empty segment: `/a/` and `/a` are two resources.
    if (!in_parameters && now.only_dots()) return malformed(dot_segment);
    end = i;
    return {};
}

/// From behind the `?` on.
result<void> read_query(std::string_view raw, std::size_t from, form& out)
{
    for (std::size_t i = from; i < raw.size(); ++i) {
        const char c = raw[i];
        const octet o = octet_of(c);
        if (o == octet::forbidden && c != '\\') return malformed(bad_character);
        if (o != octet::percent) {
            out.keep(c);
            continue;
        }
        const auto b = escaped_byte(raw, i);
        if (!b) return malformed(broken_escape);
        if (*b == 0) return malformed("the query has an escaped NUL");
        if (unreserved(*b)) {
            out.decode(i, *b);
        } else {
            out.keep_escape(i, *b);
        }
        i += 2;
    }
    return {};
}

/// Where the port's colon is, or the end.
std::size_t end_of_host(std::string_view authority) noexcept
{
    if (authority.starts_with('[')) {
        const std::size_t close = authority.find(']');
        return close == authority.npos ? authority.size() : close + 1;
    }
    return std::min(authority.find(':'), authority.size());
}

std::string_view without_own_port(std::string_view authority, std::string_view port) noexcept
{
    const std::size_t end = end_of_host(authority);
    const std::string_view rest = authority.substr(end);
    return rest == ":" || rest == port ? authority.substr(0, end) : authority;
}

/// The rest of an absolute-form behind its authority (RFC 9112 §3.2.2), which must be Host.
result<std::string_view> behind_authority(std::string_view raw, std::string_view host)
{
    const std::size_t colon = raw.find("://");
    if (colon == raw.npos) return malformed("the target is neither a path nor a URL");
    const std::string_view scheme = raw.substr(0, colon);
    const bool plain = same_ignoring_case(scheme, "http");
    if (!plain && !same_ignoring_case(scheme, "https")) return malformed("the target's scheme is neither http nor https");
    raw.remove_prefix(colon + 3);
    const std::size_t end = std::min(raw.find_first_of("/?#"), raw.size());
    const std::string_view own_port = plain ? ":80" : ":443";
    const std::string_view named = without_own_port(raw.substr(0, end), own_port);
    if (named.empty() || !same_ignoring_case(named, without_own_port(host, own_port)))
        return malformed("the target's authority is not that of Host");
    return raw.substr(end);
}

}  // namespace

std::optional<failure> canonical_target::refused_by(target_options keep) const
{
    if (has_encoded_slash && !keep.keep_encoded_slash) return malformed("the path has an escaped slash");
    if (has_path_parameter && !keep.keep_path_parameters) return malformed("the path has a semicolon");
    return std::nullopt;
}

result<canonical_target> read_target(std::string_view raw, std::string_view host, std::string& scratch)
{
    if (raw.empty()) return malformed("there is no target");
    if (raw.front() != '/') {
        auto rest = behind_authority(raw, host);
        if (!rest) return rest.error();
        raw = *rest;
    }
    canonical_target target;
    form out(raw, scratch);
    std::size_t end = 0;
    if (raw.empty() || raw.front() == '?') {
        out.changed_at(0) += '/';  // absolute-form without a path (RFC 9110 §4.2.3)
    } else if (raw.front() != '/') {
        return malformed(bad_character);
    } else if (auto read = read_path(raw, end, out, target); !read) {
        return read.error();
    }
    const std::size_t path_length = out.length(end);
    if (end < raw.size()) {
        out.keep('?');
        if (auto read = read_query(raw, end + 1, out); !read) return read.error();
        target.query = out.text().substr(path_length + 1);
    }
    target.path = out.text().substr(0, path_length);
    return target;
}

void append_target(std::string& to, std::string_view base, std::string_view rest, std::optional<std::string_view> query)
{
    const std::size_t before = to.size();
    to += base;
    to += rest;
    if (to.size() == before) to += '/';
    if (query) {
        to += '?';
        to += *query;
    }
}

std::string join_target(std::string_view base, std::string_view rest, std::optional<std::string_view> query)
{
    std::string target;
    target.reserve(base.size() + rest.size() + 2 + query.value_or("").size());
    append_target(target, base, rest, query);
    return target;
}

std::string host_name(std::string_view authority)
{
    std::string name(authority.substr(0, end_of_host(authority)));
    for (char& c : name) c = lower(c);
    return name;
}

}  // namespace sallyport
