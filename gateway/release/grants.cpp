#include "gateway/release/grants.hpp"

#include "gateway/canonical/grant_text.hpp"
#include "gateway/canonical/jcs.hpp"
#include "gateway/jose/random.hpp"
#include "gateway/log/log.hpp"
#include "gateway/policy/call_body.hpp"
#include "gateway/release/hold_maker.hpp"
#include "gateway/release/hold_moves.hpp"
#include "gateway/release/payload.hpp"
#include "storage/audit_store.hpp"
#include "workflows/eligibility.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <algorithm>
#include <map>
#include <utility>

namespace sallyport::release {
namespace {

storage::audit_entry entry_of(const storage::grant_record& g, time_point at, std::string_view act, boost::json::object data)
{
    data["act"] = act;
    data["grant"] = g.id.text();
    storage::audit_entry entry;
    entry.at = at;
    entry.kind = "admin";
    entry.hold = g.hold;
    entry.agent = g.agent;
    entry.data = jcs(data);
    return entry;
}

// Grants that may be meant by calls of one batch, each read once.
class candidates {
public:
    candidates(storage::transaction& tx, const keyring& keys, const identity::standing& standing, time_point now)
        : tx_(tx),
          keys_(keys),
          standing_(standing),
          now_(now)
    {
    }

    bool find(std::span<const held_call> calls)
    {
        std::vector<storage::grant_store::looked_for> asked;
        for (const held_call& c : calls) asked.push_back({c.record.agent, c.record.route, c.record.method, c.record.target});
        for (storage::grant_record& g : storage::grant_store::usable(tx_, asked)) grants_.push_back({{std::move(g), {}}, {}, false});
        return !grants_.empty();
    }

    /// Those that cover the call and stand behind it, with what it takes of each.
    std::vector<std::pair<const storage::grant_record*, std::string>> fitting(const held_call& call)
    {
        std::vector<std::pair<const storage::grant_record*, std::string>> fit;
        std::optional<grantable_call> seen;
        hold asked;
        for (candidate& one : grants_) {
            const storage::grant_record& g = one.grant.record;
            if (g.agent != call.record.agent || g.route != call.record.route || g.method != call.record.method ||
                g.target != call.record.target || !read(one))
                continue;
            if (!seen) {
                // The bytes that are stored are those that will be sent.
                const auto opened = open_action(keys_, call.record);
                if (!opened) return {};
                seen = grantable_of(*opened, call.record);
                const agent* who = standing_.directory->find(call.record.agent);
                if (!who) return {};
                asked = make_hold(call.id, call.record.id, *who, call.record.route, call.reasons, call.workflows, now_);
            }
            if (why_not_granted(one.grant, asked, *seen, call.workflows, *standing_.directory, now_)) continue;
            if (const auto amount = amount_of(*one.terms, *seen)) fit.emplace_back(&g, amount->text());
        }
        return fit;
    }

private:
    struct candidate {
        standing_grant grant;
        std::optional<grant_terms> terms;
        bool looked = false;
    };

    bool read(candidate& one)
    {
        if (one.looked) return one.terms.has_value();
        one.looked = true;
        auto terms = read_terms(one.grant.record.terms);
        auto source = storage::hold_store::get(tx_, one.grant.record.hold);
        if (!terms || !source) {
            log::error("grant cannot be read", {{"grant", one.grant.record.id.text()}});
            return false;
        }
        one.grant.source = std::move(source->hold);
        one.terms = std::move(*terms);
        return true;
    }

    storage::transaction& tx_;
    const keyring& keys_;
    const identity::standing& standing_;
    time_point now_;
    std::vector<candidate> grants_;
};

}  // namespace

std::optional<standing_grant> find_grant(storage::transaction& tx, grant_id id)
{
    auto record = storage::grant_store::get(tx, id);
    if (!record) return std::nullopt;
    auto source = storage::hold_store::get(tx, record->hold);
    if (!source) return std::nullopt;
    return standing_grant{std::move(*record), std::move(source->hold)};
}

grantable_call grantable_of(const action& sent, const storage::action_record& record)
{
    std::vector<policy::header> headers;
    for (const auto& [name, value] : sent.headers) headers.push_back({name, value});
    return grantable(sent, record.scheme, record.task, policy::is_json(headers));
}

std::optional<std::string> why_not_granted(const standing_grant& grant, const hold& call, const grantable_call& seen,
                                           std::span<const workflow> demanded, const directory& people, time_point now)
{
    if (grant.record.revoked_at) return "the grant was revoked";
    if (grant.record.agent != call.agent || seen.agent != call.agent) return "the grant is another agent's";
    const auto terms = read_terms(grant.record.terms);
    if (!terms || !covers(terms->shape, seen)) return "the grant is not for such a call";
    if (demanded.empty() || !satisfied_by_grant(grant.source, grant.record.terms, call, demanded, people, now))
        return "policy demands more than those who signed the grant can give";
    return std::nullopt;
}

std::vector<std::optional<used_grant>> use_grants(storage::transaction& tx, const keyring& keys, const identity::standing& standing,
                                                  std::span<const held_call> calls, time_point now)
{
    std::vector<std::optional<used_grant>> used(calls.size());
    candidates all(tx, keys, standing, now);
    if (!all.find(calls)) return used;

    std::vector<std::vector<std::pair<const storage::grant_record*, std::string>>> fitting;
    std::vector<agent_id> agents;
    std::vector<grant_id> grants;
    for (const held_call& call : calls) {
        fitting.push_back(all.fitting(call));
        agents.push_back(call.record.agent);  // all of the batch, in one statement: hold_store locks the rest later
        for (const auto& [grant, amount] : fitting.back()) grants.push_back(grant->id);
    }
    if (grants.empty()) return used;
    storage::grant_store::lock(tx, agents, grants);
    for (std::size_t i = 0; i < calls.size(); ++i)
        for (const auto& [grant, amount] : fitting[i]) {
            const auto burned = storage::grant_store::burn(tx, grant->id, amount);
            if (!burned) continue;
            const bool all_used = burned->used == grant->count || (!grant->sum.empty() && burned->sum_used == grant->sum);
            used[i] = used_grant{grant->id, grant->hold, amount, burned->used, all_used};
            break;
        }
    return used;
}

void unuse(storage::transaction& tx, const used_grant& grant) { storage::grant_store::unburn(tx, grant.id, grant.amount); }

std::optional<grant_id> leave_grant(storage::transaction& tx, const storage::stored_hold& approved, person_id by)
{
    const hold& h = approved.hold;
    const auto text = granted_terms(h);
    if (!text || h.status != hold_status::approved) return std::nullopt;
    const auto terms = read_terms(*text);
    if (!terms) return std::nullopt;  // check_terms() was asked before it was signed: it cannot be
    storage::grant_record g;
    g.id = grant_id::make(approved.now, random10());
    g.hold = h.id;
    g.agent = h.agent;
    g.route = terms->shape.route;
    g.method = terms->shape.method;
    g.target = terms->shape.target;
    g.terms = *text;
    g.count = terms->count;
    if (terms->sum) g.sum = terms->sum->at_most;
    // From the approval on, not from the request.
    g.created_at = h.decided_at.value_or(approved.now);
    g.expires_at = g.created_at + terms->lasts;
    storage::grant_store::add(tx, g);

    boost::json::array decisions;
    for (const decision& d : h.decisions)
        if (d.grant == *text) decisions.emplace_back(d.id.text());
    auto entry = entry_of(g, approved.now, "grant.make",
                          {{"terms", terms_json(*terms)},
                           {"decisions", std::move(decisions)},
                           {"created_at", format_rfc3339(g.created_at)},
                           {"expires_at", format_rfc3339(g.expires_at)}});
    entry.person = by;
    entry.action = h.action;
    storage::audit_store::append(tx, entry);
    return g.id;
}

std::optional<std::vector<hold>> revoke_grant(storage::transaction& tx, const storage::grant_record& g, std::optional<person_id> by,
                                              const std::string& why, const directory& people)
{
    if (storage::grant_store::revoke(tx, g.id, by, why) == storage::race::lost) return std::nullopt;
    auto entry = entry_of(g, tx.now(), "grant.revoke", {{"why", why}});
    entry.person = by;
    storage::audit_store::append(tx, entry);
    tx.notify(storage::hold_channel, g.hold.text());
    std::vector<hold> ended;
    for (const hold_id id : storage::grant_store::not_yet_sent(tx, g.id)) {
        // A failure here is a hold that somebody else has just closed.
        auto done = apply(tx, id, happened::voided{"the grant was revoked"}, people);
        if (done && done->moved) ended.push_back(std::move(done->hold.hold));
    }
    return ended;
}

void end_grants_of(storage::transaction& tx, agent_id agent, const std::string& why)
{
    for (const grant_id id : storage::grant_store::revoke_all_of(tx, agent, why)) {
        const auto g = storage::grant_store::get(tx, id);
        if (!g) continue;
        storage::audit_store::append(tx, entry_of(*g, tx.now(), "grant.revoke", {{"why", why}}));
        tx.notify(storage::hold_channel, g->hold.text());
    }
}

}  // namespace sallyport::release
