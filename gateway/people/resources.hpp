// What the people's API serves: one row for each method and path, and the function that answers it inside a transaction.
#pragma once

#include "gateway/people/call.hpp"
#include "storage/hold_store.hpp"
#include "storage/transaction.hpp"
#include "workflows/grant.hpp"
#include "workflows/result.hpp"

#include <boost/json/object.hpp>

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::people {

/// A failure rolls back; a reply, a problem too, is committed.
using answer_function = result<reply> (*)(storage::transaction&, const call&);

struct resource {
    std::string_view method;
    std::string_view path;     // behind /api/v1, with {name} for a segment that varies
    std::string_view summary;  // for the description
    bool needs_session = true;
    answer_function answer = nullptr;  // null: the event stream
};

std::span<const resource> resources() noexcept;
/// Null: none; `allowed` then lists the methods that the path has (RFC 9110 §10.2.1), and is empty where there is no path.
const resource* find_resource(std::string_view method, const std::vector<std::string>& path, std::string& allowed);

/// `/api/v1/openapi.json`.
const std::string& openapi();

// enrolments.cpp
result<reply> enrolment_options(storage::transaction&, const call&);
result<reply> enrol(storage::transaction&, const call&);
result<reply> login_options(storage::transaction&, const call&);
result<reply> login(storage::transaction&, const call&);
result<reply> logout(storage::transaction&, const call&);
result<reply> me(storage::transaction&, const call&);
// sessions.cpp
result<reply> login_methods(storage::transaction&, const call&);
result<reply> list_sessions(storage::transaction&, const call&);
result<reply> end_session(storage::transaction&, const call&);
result<reply> list_sessions_of(storage::transaction&, const call&);
result<reply> end_session_of(storage::transaction&, const call&);
// holds.cpp
result<reply> list_holds(storage::transaction&, const call&);
result<reply> show_hold(storage::transaction&, const call&);
// decisions.cpp
result<reply> make_statement(storage::transaction&, const call&);
result<reply> decide(storage::transaction&, const call&);
result<reply> take_back(storage::transaction&, const call&);
// records.cpp
result<reply> list_agents(storage::transaction&, const call&);
result<reply> show_agent(storage::transaction&, const call&);
result<reply> list_people(storage::transaction&, const call&);
result<reply> show_person(storage::transaction&, const call&);
result<reply> list_audit(storage::transaction&, const call&);
result<reply> describe(storage::transaction&, const call&);
// grants.cpp
result<reply> propose_grant(storage::transaction&, const call&);
result<reply> preview_grant(storage::transaction&, const call&);
result<reply> list_grants(storage::transaction&, const call&);
result<reply> show_grant(storage::transaction&, const call&);
result<reply> revoke_grant(storage::transaction&, const call&);
// load.cpp
result<reply> show_load(storage::transaction&, const call&);
result<reply> list_loads(storage::transaction&, const call&);
// links.cpp
result<reply> show_link(storage::transaction&, const call&);
result<reply> decide_by_link(storage::transaction&, const call&);
// absences.cpp
result<reply> put_absence(storage::transaction&, const call&);
result<reply> delete_absence(storage::transaction&, const call&);
// slack_links.cpp
result<reply> show_slack_link(storage::transaction&, const call&);
result<reply> connect_slack(storage::transaction&, const call&);
result<reply> show_my_slack(storage::transaction&, const call&);
result<reply> disconnect_slack(storage::transaction&, const call&);
// push.cpp
result<reply> show_my_push(storage::transaction&, const call&);
result<reply> switch_push_on(storage::transaction&, const call&);
result<reply> switch_push_off(storage::transaction&, const call&);
// channels.cpp
result<reply> list_channels(storage::transaction&, const call&);
result<reply> list_dead_letters(storage::transaction&, const call&);
result<reply> resend_dead_letter(storage::transaction&, const call&);

/// The hold without its payload, if this person may read it; `no_hold`, alike for unknown ones. `lock`: until the
/// transaction's end.
result<storage::stored_hold> readable_hold(storage::transaction&, const call&, std::string_view id, bool lock);
/// It as grants look at it; reads the payload. `internal_error` where it cannot be read.
result<grantable_call> grantable_hold(storage::transaction&, const call&, const storage::stored_hold&);
/// It as this person is shown it; reads the payload.
boost::json::object shown(storage::transaction&, const call&, storage::stored_hold);

}  // namespace sallyport::people
