#include "gateway/identity/form.hpp"

#include <algorithm>

namespace sallyport::identity {
namespace {

int digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

// Up to the mark; all of it where there is none.
std::string_view before(std::string_view text, char mark)
{
    for (std::size_t i = 0; i < text.size(); ++i)
        if (text[i] == mark) return text.substr(0, i);
    return text;
}

std::optional<std::string> decoded(std::string_view text)
{
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '+') {
            out += ' ';
        } else if (text[i] == '%') {
            if (i + 2 >= text.size()) return std::nullopt;
            const int high = digit(text[i + 1]), low = digit(text[i + 2]);
            if (high < 0 || low < 0) return std::nullopt;
            out += static_cast<char>(high * 16 + low);
            i += 2;
        } else {
            out += text[i];
        }
    }
    return out;
}

}  // namespace

std::optional<std::map<std::string, std::string, std::less<>>> parse_form(std::string_view body)
{
    std::map<std::string, std::string, std::less<>> all;
    while (!body.empty()) {
        const auto pair = before(body, '&');
        body.remove_prefix(std::min(pair.size() + 1, body.size()));
        if (pair.empty()) continue;
        const auto name_part = before(pair, '=');
        auto name = decoded(name_part);
        auto value = decoded(pair.substr(std::min(name_part.size() + 1, pair.size())));
        if (!name || !value || !all.emplace(std::move(*name), std::move(*value)).second) return std::nullopt;
    }
    return all;
}

}  // namespace sallyport::identity
