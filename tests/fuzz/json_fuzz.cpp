// JSON: what is taken has one canonical text, which is taken again and says the same.
#include "gateway/canonical/jcs.hpp"
#include "gateway/canonical/json.hpp"
#include "tests/fuzz/fuzz.hpp"

#include <string>

using namespace sallyport;
using fuzz::must;

namespace {

std::size_t walk(const json::value& v)
{
    std::size_t seen = v.string().size() + v.number_text().size();
    for (std::size_t i = 0; i < v.size(); ++i) {
        seen += walk(v.at(i));
        if (v.is(json::kind::object)) must(v.find(v.key(i)) == &v.at(i), "a member is not found under its name");
    }
    return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto read = json::document::parse(text);
    if (!read) return 0;
    walk(read->root());
    const std::string canonical = jcs(read->root());
    const auto again = json::document::parse(canonical);
    must(again.has_value(), "the canonical text is refused");
    must(jcs(again->root()) == canonical, "the canonical text has another one");
    return 0;
}
