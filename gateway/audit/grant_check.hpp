// Grants as the record tells of them: that enough people signed the very terms, and that no call passed by one that its terms do
// not cover, that came too late, or that was one too many. Pure; for verify.hpp.
#pragma once

#include "gateway/canonical/json.hpp"
#include "workflows/decimal.hpp"
#include "workflows/grant.hpp"
#include "workflows/time.hpp"
#include "workflows/workflow.hpp"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::audit {

/// What the verdict of a held action says.
struct judged_action {
    std::string digest, content_digest, route, method, authority, target;
};

/// A decision that stands, and what its statement says of a grant.
struct signed_grant {
    std::string person;
    std::vector<std::string> counts_in;
    assurance proof = assurance::click;
    std::string terms;  // RFC 8785; empty: none
};

/// What one workflow asks.
struct asked_of_grant {
    workflow asks;  // its name, approvals and places
    std::optional<assurance> needed;
};

class grant_check {
public:
    /// `grant.make` at that time, of a hold with these approvals and demands; what is wrong with it, empty: nothing.
    std::string made(const json::value& data, std::string_view hold, std::string_view agent, time_point at, const judged_action&,
                     const std::vector<signed_grant>& approvals, const std::vector<asked_of_grant>& demands);
    void revoked(const json::value& data);

    /// A hold's first entry, whose `grant` it is. `excluded`: by a `not` of the hold.
    template <class Excluded>
    std::string used(const json::value& grant, std::string_view agent, time_point at, const judged_action& action,
                     const std::vector<asked_of_grant>& demands, Excluded excluded)
    {
        known_grant* known = nullptr;
        if (auto wrong = wrong_use(grant, agent, at, action, known); !wrong.empty()) return wrong;
        std::vector<signed_grant> counting;
        for (const signed_grant& s : known->signers)
            if (!excluded(s.person)) counting.push_back(s);
        return wrong_signers(*known, counting, demands);
    }

private:
    struct known_grant {
        grant_terms terms;
        std::string agent;
        time_point expires_at;
        bool revoked = false;
        std::vector<signed_grant> signers;
        std::vector<std::string> workflows;  // that those were asked by
        int used = 0;
        decimal sum_used;
    };

    std::string wrong_use(const json::value& grant, std::string_view agent, time_point at, const judged_action&, known_grant*&);
    static std::string wrong_signers(const known_grant&, const std::vector<signed_grant>&, const std::vector<asked_of_grant>&);

    std::map<std::string, known_grant, std::less<>> grants_;
    std::set<std::string, std::less<>> sources_;  // holds that have left one behind
};

}  // namespace sallyport::audit
