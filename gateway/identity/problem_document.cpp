#include "gateway/identity/problem_document.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

namespace sallyport::identity {
namespace {

boost::json::value json_of(retry r)
{
    switch (r) {
    case retry::no: return false;
    case retry::yes: return true;
    case retry::changed: return "changed";
    }
    return false;
}

template <class Id>
boost::json::value text_or_null(const std::optional<Id>& id)
{
    if (!id) return nullptr;
    return boost::json::value(id->text());
}

}  // namespace

std::string problem_document(const failure& why, const problem_context& context)
{
    const problem_facts& known = facts(why.what);
    boost::json::array rules;
    for (const spoken_rule& r : context.rules)
        if (r.matched || !r.error.empty())
            rules.push_back(boost::json::object{{"rule", r.rule}, {"verdict", name_of(r.verdict)}, {"summary", r.summary}});
    return boost::json::serialize(boost::json::object{
        {"type", "urn:sallyport:problem:" + std::string(known.name)},
        {"title", known.title},
        {"status", known.status},
        {"detail", why.detail.empty() ? known.title : std::string_view(why.detail)},
        {"action", text_or_null(context.action)},
        {"hold", text_or_null(context.hold)},
        {"reason", context.reason ? boost::json::value(*context.reason) : boost::json::value(nullptr)},
        {"rules", std::move(rules)},
        {"retry", json_of(known.retry)},
    });
}

}  // namespace sallyport::identity
