#include "gateway/people/cursor.hpp"

#include "gateway/people/request.hpp"
#include "workflows/encoding.hpp"

namespace sallyport::people {
namespace {

std::string whose(const call& c, std::string_view list) { return "cursor:" + std::string(list) + ":" + c.person->id.text(); }

}  // namespace

std::string seal_cursor(const call& c, std::string_view list, std::string_view place)
{
    return base64url(c.around->keys.seal(place, whose(c, list)));
}

result<std::optional<std::string>> open_cursor(const call& c, std::string_view list)
{
    const auto text = find(c.query, "cursor");
    if (!text) return std::optional<std::string>{};
    const auto sealed = read_base64url(*text);
    auto place = sealed ? c.around->keys.open(*sealed, whose(c, list)) : result<std::string>(fail(problem::malformed_request));
    if (!place) return fail(problem::malformed_request, "\"cursor\" is not one of ours.");
    return std::optional<std::string>(std::move(*place));
}

}  // namespace sallyport::people
