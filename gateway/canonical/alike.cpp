#include "gateway/canonical/alike.hpp"

#include "gateway/canonical/sha256.hpp"

#include <algorithm>

namespace sallyport {
namespace {

constexpr std::size_t longest_word = 32;
constexpr std::size_t digest_bytes = 16;

bool digit(char c) noexcept { return c >= '0' && c <= '9'; }

bool version(std::string_view segment) noexcept
{
    return segment.size() >= 2 && segment.size() <= 4 && segment.front() == 'v' && std::all_of(segment.begin() + 1, segment.end(), digit);
}

bool looks_like_id(std::string_view segment) noexcept
{
    return segment.size() > longest_word || (std::any_of(segment.begin(), segment.end(), digit) && !version(segment));
}

// Calls `each` with every part of the text between separators.
template <class Each>
void split(std::string_view text, char separator, Each each)
{
    for (;;) {
        const auto end = text.find(separator);
        each(text.substr(0, end));
        if (end == std::string_view::npos) return;
        text.remove_prefix(end + 1);
    }
}

}  // namespace

std::string target_shape(std::string_view target)
{
    const auto question = target.find('?');
    std::string shape;
    bool first = true;
    split(target.substr(0, question), '/', [&](std::string_view segment) {
        if (!first) shape += '/';
        first = false;
        if (looks_like_id(segment))
            shape += '*';
        else
            shape += segment;
    });
    if (question == std::string_view::npos) return shape;
    char before = '?';
    split(target.substr(question + 1), '&', [&](std::string_view pair) {
        shape += before;
        shape += pair.substr(0, pair.find('='));
        before = '&';
    });
    return shape;
}

std::string alike_digest(agent_id agent, std::string_view route, std::string_view method, std::string_view target,
                         std::span<const reason> reasons)
{
    // A line each: none of them has a line end in it.
    std::string all = agent.text();
    all.append("\n").append(route).append("\n").append(method).append("\n").append(target_shape(target));
    for (const reason& r : reasons) all.append("\n").append(r.rule);
    return base64url(sha256(all).view().substr(0, digest_bytes));
}

}  // namespace sallyport
