#include "gateway/log/log.hpp"
#include "gateway/release/grant_json.hpp"
#include "gateway/release/grants.hpp"
#include "gateway/release/releaser.hpp"
#include "gateway/serve/admin_request.hpp"
#include "storage/grant_store.hpp"
#include "storage/hold_store.hpp"

#include <boost/json/array.hpp>

#include <algorithm>
#include <map>

namespace sallyport::serve {
namespace {

admin_answer list_grants(services& all, const admin_request& request)
{
    storage::grant_query ask;
    ask.limit = 100;
    auto status = words_of<grant_status>(request.given("status"), &grant_status_named, "grant status");
    if (!status) return status.error();
    ask.status = std::move(*status);
    const auto directory = all.standings.current()->directory;
    if (const auto name = request.given("agent"); !name.empty()) {
        const agent* who = directory->agent_named(name);
        if (!who) return fail(problem::not_found, "There is no agent " + std::string(name) + ".");
        ask.agent = who->id;
    }
    if (const auto cursor = request.given("cursor"); !cursor.empty()) ask.cursor = storage::grant_cursor::parse(cursor);
    const auto found = all.db.run_blocking([&](storage::transaction& tx) {
        std::vector<release::standing_grant> grants;
        const auto rows = storage::grant_store::list(tx, ask);
        std::vector<hold_id> of;
        for (const auto& row : rows) of.push_back(row.hold);
        std::map<hold_id, hold> sources;
        for (auto& source : storage::hold_store::get(tx, of)) sources.emplace(source.hold.id, std::move(source.hold));
        for (const auto& row : rows) grants.push_back({row, sources[row.hold]});
        return grants;
    });
    if (!found) return found.error();
    boost::json::array grants;
    for (const auto& g : *found) grants.push_back(release::grant_json(g, *directory));
    boost::json::value next;
    if (found->size() == ask.limit) {
        const auto& last = found->back().record;
        next = boost::json::value(storage::grant_cursor{last.created_at, last.id}.text());
    }
    return boost::json::object{{"grants", std::move(grants)}, {"next", std::move(next)}};
}

failure no_grant(const admin_request& request) { return fail(problem::not_found, "There is no grant " + request.path[1] + "."); }

admin_answer show_grant(services& all, const admin_request& request)
{
    const auto id = grant_id::parse(request.path[1]);
    if (!id) return no_grant(request);
    const auto found = all.db.run_blocking([&](storage::transaction& tx) { return release::find_grant(tx, *id); });
    if (!found) return found.error();
    if (!*found) return no_grant(request);
    return boost::json::object{{"grant", release::grant_json(**found, *all.standings.current()->directory)}};
}

admin_answer revoke_grant(services& all, const admin_request& request)
{
    if (const auto known = request.only({}); !known) return known.error();
    const auto id = grant_id::parse(request.path[1]);
    if (!id) return no_grant(request);
    const auto directory = all.standings.current()->directory;
    std::vector<hold> ended;
    const auto done = all.db.run_blocking([&](storage::transaction& tx) -> result<release::standing_grant> {
        ended.clear();
        auto found = release::find_grant(tx, *id);
        if (!found) return no_grant(request);
        auto voided = release::revoke_grant(tx, found->record, std::nullopt, "from the terminal", *directory);
        if (!voided) return fail(problem::conflict, "The grant was revoked before.");
        ended = std::move(*voided);
        found = release::find_grant(tx, *id);
        return std::move(*found);
    });
    if (!done) return done.error();
    release::tell_closed(all.metrics, ended);
    log::info("grant revoked", {{"grant", id->text()}});
    return boost::json::object{{"grant", release::grant_json(*done, *directory)}};
}

}  // namespace

std::optional<admin_answer> admin_grants(services& all, const admin_request& request)
{
    if (request.path.empty() || request.path[0] != "grants") return std::nullopt;
    if (request.is("GET", {"grants"})) return list_grants(all, request);
    if (request.is("GET", {"grants", "*"})) return show_grant(all, request);
    if (request.is("DELETE", {"grants", "*"})) return revoke_grant(all, request);
    return fail(problem::not_found);
}

}  // namespace sallyport::serve
