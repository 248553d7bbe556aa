#include "gateway/identity/scope.hpp"

#include <algorithm>
#include <set>

namespace sallyport::identity {

scope scope::parse(std::string_view text)
{
    constexpr std::string_view read = ":read";
    if (text.ends_with(read)) return {std::string(text.substr(0, text.size() - read.size())), true};
    return {std::string(text), false};
}

std::optional<std::vector<scope>> parse_scopes(std::string_view list)
{
    std::vector<scope> all;
    std::set<std::string_view> known;
    while (!list.empty()) {
        const auto end = std::min(list.find(' '), list.size());
        const auto text = list.substr(0, end);
        if (end > 0 && known.insert(text).second) {
            if (known.size() > most_scopes) return std::nullopt;
            all.push_back(scope::parse(text));
        }
        list.remove_prefix(std::min(end + 1, list.size()));
    }
    return all;
}

std::string text_of(std::span<const scope> all)
{
    std::string text;
    for (const scope& s : all) {
        if (!text.empty()) text += ' ';
        text += s.text();
    }
    return text;
}

bool reads_only(std::string_view method) noexcept { return method == "GET" || method == "HEAD" || method == "OPTIONS"; }

bool permits(std::span<const scope> all, std::string_view route, std::string_view method) noexcept
{
    return std::any_of(all.begin(), all.end(), [&](const scope& s) { return s.route == route && (!s.read_only || reads_only(method)); });
}

}  // namespace sallyport::identity
