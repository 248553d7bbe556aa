#include "gateway/http/head.hpp"

#include "gateway/http/characters.hpp"

#include <algorithm>

namespace sallyport::http {

std::optional<std::string_view> find(std::span<const field> fields, std::string_view name) noexcept
{
    for (const field& one : fields)
        if (equals_ignoring_case(one.name, name)) return one.value;
    return std::nullopt;
}

std::size_t count(std::span<const field> fields, std::string_view name) noexcept
{
    return static_cast<std::size_t>(
        std::count_if(fields.begin(), fields.end(), [name](const field& one) { return equals_ignoring_case(one.name, name); }));
}

bool list_has(std::string_view list, std::string_view token) noexcept
{
    while (!list.empty()) {
        const std::size_t comma = std::min(list.find(','), list.size());
        if (equals_ignoring_case(detail::trim_blanks(list.substr(0, comma)), token)) return true;
        list.remove_prefix(std::min(comma + 1, list.size()));
    }
    return false;
}

}  // namespace sallyport::http
