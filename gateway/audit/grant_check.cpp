#include "gateway/audit/grant_check.hpp"

#include "gateway/canonical/grant_text.hpp"
#include "gateway/canonical/jcs.hpp"
#include "workflows/quorum.hpp"

#include <algorithm>

namespace sallyport::audit {
namespace {

std::string_view text_of(const json::value& object, std::string_view name)
{
    const json::value* member = object.find(name);
    return member ? member->string() : std::string_view();
}

// As far as the log can tell: fields and headers are sealed beside it.
bool may_cover(const grant_shape& shape, const judged_action& action)
{
    if (shape.route != action.route || shape.method != action.method || shape.authority != action.authority ||
        shape.target != action.target)
        return false;
    return shape.fields ? !action.content_digest.empty() : shape.content_digest == action.content_digest;
}

bool counts(const signed_grant& s, const workflow& asks, const target* place)
{
    const std::string entry = place ? place_entry(asks.name, *place) : asks.name;
    return std::find(s.counts_in.begin(), s.counts_in.end(), entry) != s.counts_in.end();
}

}  // namespace

std::string grant_check::made(const json::value& data, std::string_view hold, std::string_view agent, time_point at,
                              const judged_action& action, const std::vector<signed_grant>& approvals,
                              const std::vector<asked_of_grant>& demands)
{
    const std::string id(text_of(data, "grant"));
    const json::value* terms = data.find("terms");
    const auto read = terms ? read_terms(*terms) : result<grant_terms>(fail(problem::malformed_request));
    const auto created = parse_rfc3339(text_of(data, "created_at")), expires = parse_rfc3339(text_of(data, "expires_at"));
    if (!read || !created || !expires) return "its terms cannot be read";
    if (*expires - *created != read->lasts) return "it lasts longer or shorter than its terms say";
    if (*created > at + std::chrono::seconds(5)) return "it begins later than it was made";
    if (!sources_.emplace(hold).second) return "its hold has left a grant behind before";
    if (!may_cover(read->shape, action)) return "its terms do not cover the call that it came from";
    known_grant g;
    g.terms = *read;
    g.agent = agent;
    g.expires_at = *expires;
    const std::string text = jcs(*terms);
    for (const signed_grant& s : approvals)
        if (s.terms == text) g.signers.push_back(s);
    for (const asked_of_grant& d : demands) g.workflows.push_back(d.asks.name);
    if (auto wrong = wrong_signers(g, g.signers, demands); !wrong.empty()) return wrong;
    return grants_.try_emplace(id, std::move(g)).second ? std::string() : "it was made before";
}

void grant_check::revoked(const json::value& data)
{
    if (const auto known = grants_.find(text_of(data, "grant")); known != grants_.end()) known->second.revoked = true;
}

std::string grant_check::wrong_use(const json::value& grant, std::string_view agent, time_point at, const judged_action& action,
                                   known_grant*& found)
{
    const auto known = grants_.find(text_of(grant, "id"));
    if (known == grants_.end()) return "approved by a grant that is not in the log";
    known_grant& g = known->second;
    found = &g;
    if (g.revoked) return "approved by a grant that was revoked";
    if (at >= g.expires_at) return "approved by a grant that had expired";
    if (g.agent != agent) return "approved by another agent's grant";
    if (!may_cover(g.terms.shape, action)) return "approved by a grant for other calls";
    if (++g.used > g.terms.count) return "approved by a grant that was used up";
    const auto amount = decimal::parse(text_of(grant, "amount"));
    if (!amount || amount->negative()) return "approved by a grant for an amount that is none";
    g.sum_used = g.sum_used + *amount;
    const auto bound = g.terms.sum ? decimal::parse(g.terms.sum->at_most) : std::nullopt;
    if (g.terms.sum && (!bound || g.sum_used > *bound)) return "approved by a grant whose sum was used up";
    return {};
}

std::string grant_check::wrong_signers(const known_grant& g, const std::vector<signed_grant>& signers,
                                       const std::vector<asked_of_grant>& demands)
{
    if (signers.empty() || demands.empty()) return "nobody who counts has signed the grant";
    for (const asked_of_grant& d : demands) {
        // By a workflow that the first hold was not under, whoever is eligible now counts; that the log does not say.
        const bool known = std::find(g.workflows.begin(), g.workflows.end(), d.asks.name) != g.workflows.end();
        quorum q(d.asks);
        for (const signed_grant& s : signers)
            if (d.needed && s.proof == assurance::passkey) q.add([&](const target* place) { return !known || counts(s, d.asks, place); });
        if (!q.reached())
            return "the grant has " + std::to_string(q.given()) + " of " + std::to_string(d.asks.approvals) +
                   " signatures that the workflow " + d.asks.name + " asks for";
    }
    return {};
}

}  // namespace sallyport::audit
