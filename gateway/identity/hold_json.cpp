#include "gateway/identity/hold_json.hpp"

#include <boost/json/array.hpp>

namespace sallyport::identity {
namespace {

boost::json::value time_or_null(const std::optional<time_point>& t)
{
    if (!t) return nullptr;
    return boost::json::value(format_rfc3339(*t));
}

}  // namespace

boost::json::array reasons_json(const hold& h)
{
    boost::json::array all;
    for (const reason& r : h.reasons) all.push_back(boost::json::object{{"rule", r.rule}, {"summary", r.summary}});
    return all;
}

boost::json::object agent_view(const hold& h)
{
    const std::string_view said = h.status == hold_status::denied && h.decisions.empty() ? std::string_view(h.detail) : h.reason_given();
    return {
        {"hold", h.id.text()},
        {"action", h.action.text()},
        {"status", name_of(h.status)},
        {"reasons", reasons_json(h)},
        {"approvals", {{"needed", h.approvals_needed()}, {"given", h.approvals_given()}}},
        {"created_at", format_rfc3339(h.created_at)},
        {"expires_at", format_rfc3339(h.expires_at)},
        {"decided_at", time_or_null(h.decided_at)},
        {"reason", said.empty() ? boost::json::value(nullptr) : boost::json::value(said)},
        {"outcome", h.outcome ? boost::json::value{{"status", h.outcome->status}, {"at", format_rfc3339(h.outcome->at)}}
                              : boost::json::value(nullptr)},
    };
}

}  // namespace sallyport::identity
