#include "gateway/people/request.hpp"

#include "gateway/canonical/field.hpp"
#include "gateway/policy/cel/utf8.hpp"

#include <algorithm>
#include <charconv>

namespace sallyport::people {
namespace {

constexpr std::size_t longest_session = 128, longest_user_agent = 200;

std::string lowered(std::string_view text)
{
    std::string low(text);
    std::transform(low.begin(), low.end(), low.begin(), lower);
    return low;
}

std::string_view without(std::string_view text, std::string_view end)
{
    if (text.ends_with(end)) text.remove_suffix(end.size());
    return text;
}

std::string_view trimmed(std::string_view text)
{
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
}

int digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (lower(c) >= 'a' && lower(c) <= 'f') return lower(c) - 'a' + 10;
    return -1;
}

std::optional<std::string> decoded(std::string_view text, bool plus_is_space)
{
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        char c = text[i];
        if (c == '%') {
            if (i + 2 >= text.size()) return std::nullopt;
            const int high = digit(text[i + 1]), low = digit(text[i + 2]);
            if (high < 0 || low < 0) return std::nullopt;
            c = static_cast<char>(high * 16 + low);
            i += 2;
        } else if (c == '+' && plus_is_space) {
            c = ' ';
        }
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return std::nullopt;
        out += c;
    }
    // What is looked up is text; the database holds no other.
    if (!policy::cel::is_utf8(out)) return std::nullopt;
    return out;
}

failure malformed(std::string detail) { return fail(problem::malformed_request, std::move(detail)); }

}  // namespace

std::string origin_of(std::string_view url)
{
    const auto colon = url.find("://");
    if (colon == std::string_view::npos) return {};
    const std::string scheme = lowered(url.substr(0, colon));
    const auto rest = url.substr(colon + 3);
    const std::string authority = lowered(rest.substr(0, rest.find_first_of("/?#")));
    return scheme + "://" + std::string(without(authority, scheme == "https" ? ":443" : ":80"));
}

bool is_host_of(std::string_view host, std::string_view origin)
{
    const auto colon = origin.find("://");
    if (host.empty() || colon == std::string_view::npos) return false;
    return origin_of(std::string(origin.substr(0, colon)) + "://" + std::string(host)) == origin &&
           host.find_first_of("/?#@") == std::string_view::npos;
}

std::string session_of(std::span<const http::field> fields) { return cookie_of(fields, session_cookie, longest_session); }

std::string user_agent_of(std::span<const http::field> fields)
{
    std::string text;
    for (const http::field& f : fields) {
        if (!http::equals_ignoring_case(f.name, "user-agent")) continue;
        for (const char c : f.value.substr(0, longest_user_agent))
            if (c >= 0x20 && c < 0x7F) text += c;
        break;
    }
    return text;
}

std::string cookie_of(std::span<const http::field> fields, std::string_view name, std::size_t longest)
{
    std::string token;
    for (const http::field& f : fields) {
        if (!http::equals_ignoring_case(f.name, "cookie")) continue;
        for (std::string_view left = f.value; !left.empty();) {
            const auto end = left.find(';');
            const std::string_view pair = trimmed(left.substr(0, end));
            left = end == std::string_view::npos ? std::string_view{} : left.substr(end + 1);
            const auto equals = pair.find('=');
            if (equals == std::string_view::npos || pair.substr(0, equals) != name) continue;
            const std::string_view value = pair.substr(equals + 1);
            if (value.empty() || value.size() > longest) continue;
            if (!token.empty() && token != value) return {};
            token = value;
        }
    }
    return token;
}

std::string set_cookie(std::string_view token, std::chrono::seconds life, bool secure)
{
    std::string line(session_cookie);
    line += '=';
    line += token;
    line += "; Path=/; HttpOnly; SameSite=Strict; Max-Age=";
    line += std::to_string(token.empty() ? 0 : life.count());
    if (secure) line += "; Secure";
    return line;
}

bool is_json(std::string_view content_type)
{
    const auto semicolon = content_type.find(';');
    if (!same_ignoring_case(trimmed(content_type.substr(0, semicolon)), "application/json")) return false;
    if (semicolon == std::string_view::npos) return true;
    std::string parameter = lowered(trimmed(content_type.substr(semicolon + 1)));
    parameter.erase(std::remove(parameter.begin(), parameter.end(), '"'), parameter.end());
    return parameter == "charset=utf-8";
}

result<target> read_target(std::string_view request_target)
{
    target read;
    if (request_target.empty() || request_target.front() != '/') return malformed("The request's target must begin with a slash.");
    const auto question = request_target.find('?');
    std::string_view path = request_target.substr(1, question == std::string_view::npos ? question : question - 1);
    while (!path.empty()) {
        const auto slash = path.find('/');
        auto segment = decoded(path.substr(0, slash), false);
        if (!segment) return malformed("The path has a broken escape, a control character, or bytes that are not UTF-8.");
        // A slash at the end leaves an empty segment, which no resource has.
        read.path.push_back(std::move(*segment));
        if (slash == std::string_view::npos) break;
        path.remove_prefix(slash + 1);
        if (path.empty()) read.path.emplace_back();
    }
    if (question == std::string_view::npos) return read;
    for (std::string_view left = request_target.substr(question + 1); !left.empty();) {
        const auto end = left.find('&');
        const std::string_view pair = left.substr(0, end);
        left = end == std::string_view::npos ? std::string_view{} : left.substr(end + 1);
        if (pair.empty()) continue;
        const auto equals = pair.find('=');
        auto name = decoded(pair.substr(0, equals), true);
        auto value = decoded(equals == std::string_view::npos ? std::string_view{} : pair.substr(equals + 1), true);
        if (!name || !value) return malformed("The query has a broken escape, a control character, or bytes that are not UTF-8.");
        read.query.push_back({std::move(*name), std::move(*value)});
    }
    return read;
}

result<message> message::read(std::string_view text, std::initializer_list<std::string_view> known)
{
    auto document = json::document::parse(text.empty() ? std::string_view("{}") : text);
    if (!document) return document.error();
    const json::value& root = document->root();
    if (!root.is(json::kind::object)) return malformed("The body must be a JSON object.");
    for (std::size_t i = 0; i < root.size(); ++i)
        if (std::find(known.begin(), known.end(), root.key(i)) == known.end())
            return malformed("The body has an unknown member \"" + std::string(root.key(i).substr(0, 64)) + "\".");
    return message(std::move(*document));
}

const json::value* message::find(std::string_view name) const noexcept
{
    const json::value* found = document_.root().find(name);
    return found && !found->is(json::kind::null) ? found : nullptr;
}

result<std::optional<std::string>> message::text(std::string_view name) const
{
    const json::value* found = find(name);
    if (!found) return std::optional<std::string>{};
    if (!found->is(json::kind::string)) return malformed("\"" + std::string(name) + "\" must be a string.");
    return std::optional<std::string>(found->string());
}

result<void> check_query(const std::vector<parameter>& query, std::initializer_list<std::string_view> known)
{
    for (auto p = query.begin(); p != query.end(); ++p) {
        if (std::find(known.begin(), known.end(), p->name) == known.end())
            return malformed("Unknown query parameter \"" + p->name.substr(0, 64) + "\".");
        if (std::any_of(query.begin(), p, [&](const parameter& before) { return before.name == p->name; }))
            return malformed("The query parameter \"" + p->name + "\" appears twice.");
    }
    return {};
}

std::optional<std::string_view> find(const std::vector<parameter>& query, std::string_view name)
{
    for (const parameter& p : query)
        if (p.name == name) return p.value;
    return std::nullopt;
}

result<std::size_t> read_limit(const std::vector<parameter>& query, std::size_t otherwise, std::size_t most)
{
    const auto text = find(query, "limit");
    if (!text) return otherwise;
    std::size_t value = 0;
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
    if (error != std::errc{} || end != text->data() + text->size() || value < 1 || value > most)
        return malformed("\"limit\" is a whole number from 1 to " + std::to_string(most) + ".");
    return value;
}

}  // namespace sallyport::people
