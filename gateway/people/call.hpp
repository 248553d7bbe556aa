// One request of the people's API between the socket and the resource that answers it, and what comes back. Resources
// are plain functions that run inside one transaction on a database thread: what they do happens whole or not at all.
#pragma once

#include "gateway/identity/standing.hpp"
#include "gateway/jose/sealing.hpp"
#include "storage/transaction.hpp"
#include "workflows/hold.hpp"
#include "workflows/person.hpp"
#include "workflows/result.hpp"
#include "workflows/secret.hpp"

#include <boost/json/fwd.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sallyport::people {

/// The same for every call.
struct surroundings {
    keyring keys;
    secret statement_key;    // for statement.hpp: what says that a statement is ours
    secret challenge_key;    // the same for challenge.hpp
    secret decision_key;     // the same for identity/decision_token.hpp
    std::string push_key{};  // identity/push_subscription.hpp: what browsers are switched on for
};

struct parameter {
    std::string name;
    std::string value;
};

/// Everything owned: nothing in it is a view into the connection.
struct call {
    identity::standing_ptr standing;  // one snapshot, taken first
    const surroundings* around = nullptr;
    std::string method;
    std::vector<std::string> path;            // decoded segments behind /api/v1
    std::vector<parameter> query;             // decoded, in order
    std::string session;                      // the cookie's token; empty: none, or not exactly one
    std::string user_agent;                   // what the browser calls itself: visible characters of the field, cut
    std::string body;                         // JSON text; empty: none
    std::optional<sallyport::person> person;  // who has the session, as the database has them; set where a resource needs one

    const config::configuration& config() const noexcept { return *standing->config; }
    const sallyport::directory& directory() const noexcept { return *standing->directory; }
};

struct reply {
    int status = 200;
    std::string media_type = "application/json";
    std::string body;
    std::vector<std::pair<std::string, std::string>> headers;

    // What is to be done once it is committed, before it is sent.
    std::optional<hold_id> approved;
    std::vector<hold> closed;
    std::optional<hold> glass_broken;  // whose glass it was
    std::optional<decision> decided;
    std::int64_t directory_generation = 0;  // wait, for a moment, until our own snapshot is that new
};

reply json_reply(int status, const boost::json::object&);
/// The problem document. Given as a value it lets the transaction commit: what was recorded of the attempt stays.
reply problem_reply(const failure&);

}  // namespace sallyport::people
