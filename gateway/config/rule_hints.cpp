#include "gateway/config/rule_hints.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <initializer_list>

namespace sallyport::config {
namespace {

bool word_character(char c) noexcept { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'; }

// The next word or sign; literals of text and comments are passed over. Empty at the end.
std::string_view next_token(std::string_view& rest, bool& literal) noexcept
{
    literal = false;
    for (;;) {
        const auto begin = std::min(rest.find_first_not_of(" \t\r\n"), rest.size());
        rest.remove_prefix(begin);
        if (!rest.starts_with("//")) break;
        rest.remove_prefix(std::min(rest.find('\n'), rest.size()));
    }
    if (rest.empty()) return {};
    std::size_t end = 0;
    while (end < rest.size() && word_character(rest[end])) ++end;
    const auto prefix = rest.substr(0, end);
    const bool quote_follows = end < rest.size() && (rest[end] == '"' || rest[end] == '\'') && end <= 2 &&
                               prefix.find_first_not_of("rRbB") == std::string_view::npos;
    if (quote_follows) {
        literal = true;
        const bool raw = prefix.find_first_of("rR") != std::string_view::npos;
        const bool triple = rest.substr(end, 3) == "\"\"\"" || rest.substr(end, 3) == "'''";
        const auto quote = rest.substr(end, triple ? 3 : 1);
        end += quote.size();
        while (end < rest.size() && rest.substr(end, quote.size()) != quote) end += !raw && rest[end] == '\\' ? 2U : 1U;
        end = std::min(end + quote.size(), rest.size());
    } else if (end == 0) {
        end = 1;
    }
    const auto token = rest.substr(0, end);
    rest.remove_prefix(end);
    return token;
}

}  // namespace

bool may_err(std::string_view condition) noexcept
{
    // Names whose use can fail: values that may not be there, conversions, patterns, time zones.
    constexpr auto risky = std::to_array<std::string_view>(
        {"body",          "task",         "headers",      "query",    "labels",     "int",        "uint",           "double",   "bool",
         "bytes",         "string",       "timestamp",    "duration", "dyn",        "matches",    "getFullYear",    "getMonth", "getDate",
         "getDayOfMonth", "getDayOfWeek", "getDayOfYear", "getHours", "getMinutes", "getSeconds", "getMilliseconds"});
    std::string_view before;
    bool before_literal = false, literal = false;
    for (auto token = next_token(condition, literal); !token.empty(); token = next_token(condition, literal)) {
        if (!literal) {
            if (std::find(risky.begin(), risky.end(), token) != risky.end()) return true;
            if (token == "/" || token == "%" || token == "*" || token == "+" || token == "-") return true;
            // A list begins where a value may; an index follows a value.
            const bool after_value =
                before_literal || before == ")" || before == "]" || (!before.empty() && word_character(before.front()) && before != "in");
            if (token == "[" && after_value) return true;
        }
        before = token;
        before_literal = literal;
    }
    return false;
}

bool never_true(std::string_view condition) noexcept
{
    bool literal = false, found = false;
    for (auto token = next_token(condition, literal); !token.empty(); token = next_token(condition, literal)) {
        if (token == "(" || token == ")") continue;
        if (token != "false" || found) return false;
        found = true;
    }
    return found;
}

std::vector<remark> vain_comparisons(std::string_view condition, std::span<const std::string_view> prefixes)
{
    std::vector<remark> found;
    // The last tokens before a literal: `request . path = =` and `request . path . startsWith (`.
    std::array<std::string_view, 6> last{};
    const auto ends_with = [&](std::initializer_list<std::string_view> words) {
        return std::equal(words.begin(), words.end(), last.end() - static_cast<std::ptrdiff_t>(words.size()));
    };
    const auto remarks = [&](std::string_view text, std::size_t offset) {
        const bool same = ends_with({"request", ".", "path", "=", "="});
        if (ends_with({"request", ".", "method", "=", "="})) {
            if (std::any_of(text.begin(), text.end(), [](char c) { return c >= 'a' && c <= 'z'; }))
                found.push_back({offset, "methods are written in capitals and compared exactly"});
        } else if (same || ends_with({"request", ".", "path", ".", "startsWith", "("})) {
            const auto within = [&](std::string_view prefix) {
                return prefix.size() > 1 && text.starts_with(prefix) && (text.size() == prefix.size() || text[prefix.size()] == '/');
            };
            if (!text.starts_with('/') && (same || !text.empty()))
                found.push_back({offset, "`request.path` always begins with `/`"});
            else if (text.find('?') != std::string_view::npos)
                found.push_back({offset, "`request.path` has no query; that is in `request.query`"});
            else if (!prefixes.empty() && std::all_of(prefixes.begin(), prefixes.end(), within))
                found.push_back({offset, "`request.path` is what follows the route's prefix, so it hardly begins with it again"});
        }
    };
    bool literal = false;
    for (auto rest = condition;;) {
        const auto token = next_token(rest, literal);
        if (token.empty()) return found;
        const bool quoted = literal && token.size() >= 2 && (token.front() == '"' || token.front() == '\'');
        const bool triple = token.size() >= 6 && token[1] == token[0] && token[2] == token[0];
        if (quoted && !triple && token.find('\\') == std::string_view::npos)
            remarks(token.substr(1, token.size() - 2), static_cast<std::size_t>(token.data() - condition.data()));
        std::rotate(last.begin(), last.begin() + 1, last.end());
        last.back() = token;
    }
}

}  // namespace sallyport::config
