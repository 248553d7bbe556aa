// Request targets: the form that is given is its own form, and has nothing in it that leaves its path.
#include "gateway/canonical/target.hpp"
#include "tests/fuzz/fuzz.hpp"

#include <string>

using namespace sallyport;
using fuzz::must;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const std::string_view raw(reinterpret_cast<const char*>(data), size);
    std::string scratch;
    const auto target = read_target(raw, "h", scratch);
    if (!target) return 0;
    const std::string path(target->path);
    const std::string form = path + (target->query ? "?" + std::string(*target->query) : "");
    must(path.starts_with('/'), "a path that begins otherwise");
    must(path.find("//") == std::string::npos, "an empty segment");
    for (const std::string_view part : {"/./", "/../", "\\", "%5C", "%00", "%2E", "%2e"})
        must((path + '/').find(part) == std::string::npos, "a part that servers resolve");
    std::string second;
    const auto again = read_target(form, "h", second);
    must(again.has_value(), "the form is refused");
    must(again->path == target->path && again->query == target->query, "the form has another form");
    must(again->has_encoded_slash == target->has_encoded_slash && again->has_path_parameter == target->has_path_parameter,
         "the form says something else of itself");
    return 0;
}
