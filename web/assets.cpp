#include "web/assets.hpp"

#include <algorithm>
#include <array>

namespace sallyport::web {

namespace {

constexpr std::array<std::string_view, 9> pages{"/", "/login", "/history", "/grants", "/agents", "/people", "/channels", "/audit", "/load"};
constexpr std::array<std::string_view, 6> pages_with_id{"/holds/", "/grants/", "/enrol/", "/d/", "/slack/", "/alike/"};

// One more segment, and not an empty one.
bool is_page_with_id(std::string_view path, std::string_view prefix) noexcept
{
    return path.starts_with(prefix) && path.size() > prefix.size() && path.find('/', prefix.size()) == std::string_view::npos;
}

}  // namespace

const asset* find_asset(std::string_view path) noexcept
{
    const auto all = assets();
    const auto found = std::ranges::lower_bound(all, path, {}, &asset::path);
    return found != all.end() && found->path == path ? &*found : nullptr;
}

const asset* find_page(std::string_view path) noexcept
{
    const bool page = std::ranges::find(pages, path) != pages.end() ||
                      std::ranges::any_of(pages_with_id, [path](std::string_view prefix) { return is_page_with_id(path, prefix); });
    return find_asset(page ? "/index.html" : path);
}

}  // namespace sallyport::web
