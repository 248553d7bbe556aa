#include "gateway/canonical/headers.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>

namespace sallyport {
namespace {

/// CGI and its kin make one variable of `X-Api-Key` and `X_Api_Key`: to them the second would be the first once more.
constexpr char folded(char c) noexcept { return c == '_' ? '-' : lower(c); }

bool is_name(std::string_view name, std::string_view listed) noexcept
{
    // `listed` is written in lower case, with `-`. Most names differ from it at once. Neither is empty when they are as long.
    if (name.size() != listed.size() || folded(name.front()) != listed.front() || folded(name.back()) != listed.back()) return false;
    for (std::size_t i = 1; i + 1 < name.size(); ++i) {
        if (folded(name[i]) != listed[i]) return false;
    }
    return true;
}

/// Of two names that come from outside.
bool same_folded(std::string_view a, std::string_view b) noexcept
{
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return folded(x) == folded(y); });
}

bool begins_with(std::string_view name, std::string_view listed) noexcept
{
    return name.size() >= listed.size() && is_name(name.substr(0, listed.size()), listed);
}

enum class treatment : std::uint8_t {
    passes,
    never_sent,        // of one connection only (RFC 9110 §7.6.1), written anew by whoever frames the message, or the gateway's
    not_to_upstream,   // semantics.md, "Never sent on"
    hides_credential,  // not where the answer is searched for one: what is coded cannot be, and a part may hold a part of it
};

struct known_name {
    std::string_view name;  // in lower case, with `-`
    treatment what;
};
using enum treatment;
constexpr std::array known_names{
    known_name{"te", never_sent},
    known_name{"trailer", never_sent},
    known_name{"upgrade", never_sent},
    known_name{"connection", never_sent},
    known_name{"keep-alive", never_sent},
    known_name{"content-length", never_sent},
    known_name{"http2-settings", never_sent},
    known_name{"proxy-connection", never_sent},
    known_name{"transfer-encoding", never_sent},
    known_name{"proxy-authenticate", never_sent},
    known_name{"proxy-authorization", never_sent},
    known_name{"proxy-authentication-info", never_sent},
    known_name{"host", not_to_upstream},
    known_name{"cookie", not_to_upstream},
    known_name{"expect", not_to_upstream},
    known_name{"signature", not_to_upstream},
    known_name{"forwarded", not_to_upstream},
    known_name{"x-real-ip", not_to_upstream},
    known_name{"authorization", not_to_upstream},
    known_name{"x-http-method", not_to_upstream},
    known_name{"x-rewrite-url", not_to_upstream},
    known_name{"content-digest", not_to_upstream},
    known_name{"x-original-url", not_to_upstream},
    known_name{"signature-input", not_to_upstream},
    known_name{"x-method-override", not_to_upstream},
    known_name{"x-http-method-override", not_to_upstream},
    known_name{"accept-encoding", hides_credential},
    known_name{"range", hides_credential},
    known_name{"if-range", hides_credential},
};

// Each name has a place of its own, so that one comparison tells what a name is.
constexpr std::size_t places = 64;
constexpr std::size_t place_of(std::string_view name) noexcept
{
    const auto at = [name](std::size_t i) { return static_cast<unsigned char>(folded(name[i])); };
    return (name.size() * 21 + at(0) * 61U + at(name.size() - 1)) % places;
}
constexpr auto known_by_place = [] {
    std::array<known_name, places> table{};
    for (const known_name& one : known_names) {
        known_name& place = table[place_of(one.name)];
        if (!place.name.empty()) throw "two names have one place: choose other factors";
        place = one;
    }
    return table;
}();

treatment treatment_of(std::string_view name) noexcept
{
    if (name.empty()) return passes;
    const known_name& candidate = known_by_place[place_of(name)];
    if (is_name(name, candidate.name)) return candidate.what;
    switch (folded(name.front())) {
    case 'p': return begins_with(name, "proxy-") ? not_to_upstream : passes;
    case 's': return begins_with(name, "sallyport-") ? never_sent : passes;
    case 'x': return begins_with(name, "x-forwarded-") ? not_to_upstream : passes;
    default: return passes;
    }
}

constexpr bool is_space(char c) noexcept { return c == ' ' || c == '\t'; }

constexpr bool is_token_character(char c) noexcept  // RFC 9110 §5.6.2
{
    const char l = lower(c);
    return (l >= 'a' && l <= 'z') || (c >= '0' && c <= '9') ||
           (c != '\0' && std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos);
}

std::string_view trimmed(std::string_view s) noexcept
{
    while (!s.empty() && is_space(s.front())) s.remove_prefix(1);
    while (!s.empty() && is_space(s.back())) s.remove_suffix(1);
    return s;
}

bool shorter_or_before(std::string_view a, std::string_view b) noexcept
{
    if (a.size() != b.size()) return a.size() < b.size();
    return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) < lower(y); });
}

/// One preference of a Prefer field: `name [= value] *(; parameter)` (RFC 7240 §2).
struct preference {
    std::string_view text;  // all of it, as written
    std::string_view name;
    std::string_view value;  // without quotes; a quoted value with escapes is given with them
    bool well_formed = false;
};

class prefer_reader {
public:
    explicit prefer_reader(std::string_view field) noexcept : left_(field) {}

    std::optional<preference> next() noexcept
    {
        for (;;) {
            skip_space();
            if (left_.empty()) return std::nullopt;
            if (left_.front() != ',') break;  // an empty element (RFC 9110 §5.6.1.2)
            left_.remove_prefix(1);
        }
        preference p;
        const std::string_view from = left_;
        p.well_formed = read(p);
        if (!p.well_formed) skip_to_comma();
        p.text = trimmed(from.substr(0, from.size() - left_.size()));
        return p;
    }

private:
    void skip_space() noexcept
    {
        while (!left_.empty() && is_space(left_.front())) left_.remove_prefix(1);
    }
    bool take(char c) noexcept
    {
        skip_space();
        if (left_.empty() || left_.front() != c) return false;
        left_.remove_prefix(1);
        return true;
    }
    bool token(std::string_view& t) noexcept
    {
        skip_space();
        std::size_t n = 0;
        while (n < left_.size() && is_token_character(left_[n])) ++n;
        t = left_.substr(0, n);
        left_.remove_prefix(n);
        return n != 0;
    }
    bool word(std::string_view& w) noexcept
    {
        skip_space();
        if (left_.empty() || left_.front() != '"') return token(w);
        const std::size_t length = quoted_length();
        if (length == 0) return false;
        w = left_.substr(1, length - 2);
        left_.remove_prefix(length);
        return true;
    }
    /// Of the quoted string that `left_` begins with, quotes included; 0 if it has no end.
    std::size_t quoted_length() const noexcept
    {
        for (std::size_t i = 1; i < left_.size(); ++i) {
            if (left_[i] == '\\') {
                ++i;
            } else if (left_[i] == '"') {
                return i + 1;
            }
        }
        return 0;
    }
    bool read(preference& p) noexcept
    {
        if (!token(p.name)) return false;
        if (take('=') && !word(p.value)) return false;
        while (take(';')) {
            std::string_view name;
            std::string_view value;
            if (token(name) && take('=') && !word(value)) return false;
        }
        skip_space();
        return left_.empty() || left_.front() == ',';
    }
    /// What is malformed ends at a comma outside quotes, or takes the rest with it.
    void skip_to_comma() noexcept
    {
        while (!left_.empty() && left_.front() != ',') {
            std::size_t n = 1;
            if (left_.front() == '"') {
                n = quoted_length();
                if (n == 0) n = left_.size();
            }
            left_.remove_prefix(n);
        }
    }

    std::string_view left_;
};

bool is_ours(const preference& p) noexcept { return same_ignoring_case(p.name, "wait") || same_ignoring_case(p.name, "respond-async"); }

}  // namespace

bool same_folded_name(std::string_view a, std::string_view b) noexcept { return same_folded(a, b); }

void header_list::reserve(std::size_t bytes)
{
    if (used_ + bytes <= text_.size()) return;
    std::vector<char> larger(std::max(used_ + bytes, text_.size() * 2));
    std::copy_n(text_.data(), used_, larger.data());
    for (field& f : fields_) {
        f.name = {larger.data() + (f.name.data() - text_.data()), f.name.size()};
        f.value = {larger.data() + (f.value.data() - text_.data()), f.value.size()};
    }
    text_ = std::move(larger);
}

char* header_list::take(std::size_t bytes)
{
    reserve(bytes);
    char* const memory = text_.data() + used_;
    used_ += bytes;
    return memory;
}

void header_list::add(std::string_view name, std::string_view value)
{
    char* const memory = take(name.size() + value.size());
    lower_into(memory, name);
    std::copy(value.begin(), value.end(), memory + name.size());
    fields_.push_back({{memory, name.size()}, {memory + name.size(), value.size()}});
}

std::optional<std::string_view> header_list::find(std::string_view name) const noexcept
{
    for (const field& f : fields_) {
        if (f.name == name) return f.value;
    }
    return std::nullopt;
}

void field_filter::note_connection(std::string_view name, std::string_view value)
{
    if (!is_name(name, connection)) return;
    while (!value.empty()) {
        const std::size_t comma = std::min(value.find(','), value.size());
        const std::string_view token = trimmed(value.substr(0, comma));
        value.remove_prefix(std::min(comma + 1, value.size()));
        if (token.empty() || same_ignoring_case(token, "close") || same_ignoring_case(token, "keep-alive")) continue;
        named_.push_back(token);
        sorted_ = false;
    }
}

bool field_filter::named_by_connection(std::string_view name)
{
    if (named_.empty()) return false;
    if (!sorted_) {
        // Sorted once: thousands of names against a hundred fields must not cost their product.
        std::sort(named_.begin(), named_.end(), shorter_or_before);
        sorted_ = true;
    }
    return std::binary_search(named_.begin(), named_.end(), name, shorter_or_before);
}

bool field_filter::goes_on(std::string_view name)
{
    const treatment what = treatment_of(name);
    if (what == never_sent || named_by_connection(name)) return false;
    if (direction_ == direction::to_agent) return true;
    if (what == not_to_upstream) return false;
    return credential_header_.empty() || (what != hides_credential && !same_folded(name, credential_header_));
}

void add_for_upstream(std::string_view name, std::string_view value, header_list& out)
{
    if (!same_ignoring_case(name, "prefer")) return out.add(name, value);
    std::string kept;
    bool all = true;
    prefer_reader reader(value);
    while (const auto p = reader.next()) {
        // What cannot be read might be read as `wait` by somebody else.
        if (!p->well_formed || is_ours(*p)) {
            all = false;
            continue;
        }
        if (!kept.empty()) kept += ", ";
        kept += p->text;
    }
    if (!kept.empty()) out.add(name, all ? value : std::string_view(kept));
}

void read_prefer(std::string_view value, preferences& to)
{
    prefer_reader reader(value);
    while (const auto p = reader.next()) {
        if (!p->well_formed) continue;
        if (same_ignoring_case(p->name, "respond-async")) {
            if (p->value.empty()) to.respond_async = true;
        } else if (same_ignoring_case(p->name, "wait") && !to.wait) {
            constexpr std::int64_t most = 1'000'000'000;  // seconds; any ceiling is far below
            const auto digits = p->value;
            if (digits.empty() || !std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; })) continue;
            std::int64_t seconds = 0;
            const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), seconds);
            to.wait = std::chrono::seconds(read.ec == std::errc() ? std::min(seconds, most) : most);
        }
    }
}

bool valid_idempotency_key(std::string_view key) noexcept
{
    return !key.empty() && key.size() <= 255 && std::all_of(key.begin(), key.end(), [](char c) { return c > ' ' && c < '\x7f'; });
}

}  // namespace sallyport
