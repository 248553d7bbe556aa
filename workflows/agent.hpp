// Agents: non-human principals with an identity and an accountable owner (contract.md, "Vocabulary").
#pragma once

#include "workflows/ids.hpp"
#include "workflows/time.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport {

enum class agent_class { personal, consumer, workforce, digital_worker };
enum class agent_status { active, suspended, revoked };

std::string_view name_of(agent_class) noexcept;  // as the contract writes it: `digital-worker`
std::string_view name_of(agent_status) noexcept;
std::optional<agent_class> agent_class_named(std::string_view) noexcept;
std::optional<agent_status> agent_status_named(std::string_view) noexcept;

/// A public key that may sign the agent's client assertions.
struct agent_key {
    std::string kid;                      // RFC 7638 thumbprint
    std::string jwk;                      // the public JWK, RFC 8785 form
    std::optional<time_point> not_after;  // set by `agent rotate --overlap`; no longer accepted from then on
};

/// Who is accountable: a person's handle, or a team's name.
struct owner_name {
    enum class kind { person, team } kind = kind::person;
    std::string name;

    /// `ada` or `team:finance`.
    std::string text() const { return kind == kind::team ? "team:" + name : name; }
    static std::optional<owner_name> parse(std::string_view);
    friend bool operator==(const owner_name&, const owner_name&) = default;
};

struct agent {
    agent_id id;
    std::string name;  // unique for ever, and the OAuth client_id: see valid_name()
    agent_class cls = agent_class::personal;
    owner_name owner;
    agent_status status = agent_status::active;
    std::string purpose;
    std::vector<std::string> scopes;  // `ROUTE` or `ROUTE:read`, as given with --scope, no duplicates
    std::map<std::string, std::string> labels;
    std::vector<agent_key> keys;
    time_point created_at;
    std::optional<time_point> last_seen_at;
};

/// What an agent, a handle, a team, a credential, a route, a rule or a workflow may be called: 1 to 64 of
/// `a-z 0-9 . _ -`, beginning with a letter or digit.
bool valid_name(std::string_view) noexcept;

}  // namespace sallyport
