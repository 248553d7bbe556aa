#include "gateway/audit/verify.hpp"

#include "gateway/audit/grant_check.hpp"
#include "gateway/audit/passkey_proof.hpp"
#include "gateway/canonical/jcs.hpp"
#include "gateway/canonical/json.hpp"
#include "workflows/agent.hpp"
#include "workflows/encoding.hpp"
#include "workflows/quorum.hpp"
#include "workflows/workflow.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

namespace sallyport::audit {
namespace {

std::string_view text_of(const json::value& object, std::string_view name)
{
    const json::value* member = object.find(name);
    return member ? member->string() : std::string_view();
}

std::vector<std::string> texts_of(const json::value& object, std::string_view name)
{
    std::vector<std::string> all;
    if (const json::value* list = object.find(name); list && list->is(json::kind::array))
        for (std::size_t i = 0; i < list->size(); ++i) all.emplace_back(list->at(i).string());
    return all;
}

// Who is who, by what the log says itself: handles, teams, and the passkeys that were registered.
class known_people {
public:
    void look(const shown_entry& e, const json::value& data)
    {
        const auto act = text_of(data, "act");
        const std::string handle(text_of(data, "handle")), team(text_of(data, "name"));
        if (act.starts_with("person.") || act.starts_with("passkey.")) handles_[e.person] = handle;
        if (const auto* reset = data.find("reset"); act == "person.invite" && reset && reset->boolean())
            std::erase_if(passkeys_, [&](const auto& known) { return known.second.person == e.person; });
        if (act == "passkey.add") add_passkey(e, data);
        if (act == "team.join") teams_[team].insert(handle);
        if (act == "team.leave") teams_[team].erase(handle);
        if (act == "team.remove") teams_.erase(team);
    }

    std::string handle(const std::string& person) const
    {
        const auto known = handles_.find(person);
        return known == handles_.end() ? std::string() : known->second;
    }
    std::string person(std::string_view handle) const
    {
        for (const auto& [id, known] : handles_)
            if (known == handle) return id;
        return {};
    }

    const registered_passkey* passkey(std::string_view credential) const
    {
        const auto found = passkeys_.find(credential);
        return found == passkeys_.end() ? nullptr : &found->second;
    }

    /// None: the log cannot say.
    std::optional<bool> means(std::string_view written, std::string_view owner_text, const std::string& person) const
    {
        const auto whom = target::parse(written);
        if (!whom) return std::nullopt;
        const auto known = handles_.find(person);
        const std::string handle = known == handles_.end() ? std::string() : known->second;
        switch (whom->kind) {
        case target::kind::owner:
        case target::kind::initiator: {
            const auto owner = owner_name::parse(owner_text);
            if (!owner) return std::nullopt;
            return owner->kind == owner_name::kind::team ? is_member(owner->name, handle) : owner->name == handle;
        }
        case target::kind::person: return whom->name == handle;
        case target::kind::team: return is_member(whom->name, handle);
        // Who was on call, and what labels somebody had, the log does not say; who approved last is asked elsewhere.
        case target::kind::schedule:
        case target::kind::where:
        case target::kind::last_approver: return std::nullopt;
        }
        return std::nullopt;
    }

private:
    void add_passkey(const shown_entry& e, const json::value& data)
    {
        const auto key = read_base64(text_of(data, "key"));
        passkeys_[std::string(text_of(data, "credential"))] = {e.person, key.value_or(""), std::string(text_of(data, "relying_party"))};
    }

    bool is_member(const std::string& team, const std::string& handle) const
    {
        const auto found = teams_.find(team);
        return found != teams_.end() && found->second.contains(handle);
    }

    std::map<std::string, std::string, std::less<>> handles_;          // by id
    std::map<std::string, std::set<std::string>, std::less<>> teams_;  // handles, by name
    std::map<std::string, registered_passkey, std::less<>> passkeys_;  // by credential, base64url
};

// What one workflow asks of a hold.
struct known_demand {
    workflow asks;  // its name, approvals and places
    std::optional<assurance> needed;
    std::vector<std::string> excluded;
    std::vector<std::string> glass;  // who may break it
};

struct known_decision {
    std::string person;
    bool approves = false;
    std::vector<std::string> counts_in;
    std::vector<std::string> in_place_of;  // handles
    bool glass = false;
    std::int64_t index = 0;  // of its entry
    assurance proof = assurance::click;
    std::string grant;  // the terms that its statement names
};

struct known_hold {
    std::string agent;  // as the statements say
    std::string owner;
    std::string action;
    bool granted = false;  // a grant approved it
    std::vector<known_demand> demands;
    std::map<std::string, known_decision, std::less<>> decisions;  // those that stand

    std::size_t approvals() const
    {
        return static_cast<std::size_t>(std::count_if(decisions.begin(), decisions.end(), [](const auto& d) { return d.second.approves; }));
    }
    bool denied() const { return approvals() != decisions.size(); }
    bool decided_by(std::string_view person) const
    {
        return std::any_of(decisions.begin(), decisions.end(), [&](const auto& d) { return d.second.person == person; });
    }
    bool broken(const known_demand& d) const
    {
        return std::any_of(decisions.begin(), decisions.end(), [&](const auto& given) {
            return given.second.glass && given.second.approves && has(given.second.counts_in, glass_entry(d.asks.name));
        });
    }
    int approvals_in(const known_demand& d) const
    {
        quorum q(d.asks);
        for (const auto& [id, given] : decisions)
            if (given.approves)
                q.add([&](const target* place) { return has(given.counts_in, place ? place_entry(d.asks.name, *place) : d.asks.name); });
        return q.given();
    }
    bool represented(const std::string& handle) const
    {
        return std::any_of(decisions.begin(), decisions.end(), [&](const auto& d) { return has(d.second.in_place_of, handle); });
    }
    static bool has(const std::vector<std::string>& all, const std::string& one)
    {
        return std::find(all.begin(), all.end(), one) != all.end();
    }
};

int count_of(const json::value& of)
{
    const json::value* n = of.find("approvals");
    return n && n->is(json::kind::integer) && n->integer() > 0 ? static_cast<int>(std::min<std::int64_t>(n->integer(), 1'000'000)) : 1;
}

known_hold read_hold(const json::value& data)
{
    known_hold h;
    h.owner = text_of(data, "owner");
    const json::value* demands = data.find("demands");
    for (std::size_t i = 0; demands && i < demands->size(); ++i) {
        const json::value& one = demands->at(i);
        known_demand& d = h.demands.emplace_back();
        d.asks.name = text_of(one, "workflow");
        d.asks.approvals = count_of(one);
        d.needed = assurance_named(text_of(one, "assurance"));
        d.excluded = texts_of(one, "not");
        d.glass = texts_of(one, "break_glass");
        const json::value* places = one.find("places");
        for (std::size_t k = 0; places && k < places->size(); ++k)
            // A place that is not understood can be filled by nobody.
            d.asks.places.push_back(
                {target::parse(text_of(places->at(k), "of")).value_or(target{target::kind::last_approver, {}}), count_of(places->at(k))});
    }
    return h;
}

}  // namespace

class record_check::checker {
public:
    verification result;

    void look(const shown_entry& e, const json::value& data)
    {
        if (e.kind == "verdict") {
            // Only of what was held there is a digest, and only what was held is decided.
            if (data.find("digest"))
                actions_[e.action] = {std::string(text_of(data, "digest")),    std::string(text_of(data, "content_digest")),
                                      std::string(text_of(data, "route")),     std::string(text_of(data, "method")),
                                      std::string(text_of(data, "authority")), std::string(text_of(data, "target"))};
        } else if (e.kind == "admin") {
            people_.look(e, data);
            const auto act = text_of(data, "act");
            if (act == "grant.make")
                if (auto wrong = wrong_grant(e, data); !wrong.empty()) report(e, std::move(wrong));
            if (act == "grant.revoke") grants_.revoked(data);
        } else if (e.kind == "hold") {
            // The first entry of a hold says what it demands; no later one may say it anew.
            if (data.find("demands")) first_of_hold(e, data);
        } else if (e.kind == "decision") {
            decision(e, data);
        } else if (e.kind == "release") {
            ++result.releases;
            if (auto wrong = wrong_release(e); !wrong.empty()) report(e, std::move(wrong));
        }
    }

    void report(finding_kind kind, std::int64_t index, std::string message)
    {
        if (++found_[kind] > most_of_a_kind) {
            ++result.left_out;
            return;
        }
        if (message.size() > longest_message) message.replace(longest_message, std::string::npos, "…");
        result.findings.push_back({index, std::move(message)});
    }
    void report(const shown_entry& e, std::string message) { report(kind_of(e), e.index, e.kind + ": " + std::move(message)); }

    void take_place(std::int64_t index)
    {
        missing_before(index);
        if (index < next_) report(finding_kind::place, index, "it is there twice");
        next_ = index + 1;
    }
    void missing_before(std::int64_t index)
    {
        if (index <= next_) return;
        const std::int64_t last = index - 1;
        report(finding_kind::place, next_,
               last == next_ ? "an entry is missing here" : "an entry is missing here, and so are those up to " + std::to_string(last));
    }

private:
    // It may quote what a stranger wrote.
    static constexpr std::size_t longest_message = 1000;

    static finding_kind kind_of(const shown_entry& e)
    {
        if (e.kind == "hold") return finding_kind::hold;
        if (e.kind == "decision") return finding_kind::decision;
        return e.kind == "release" ? finding_kind::release : finding_kind::data;
    }

    void first_of_hold(const shown_entry& e, const json::value& data)
    {
        const auto [found, fresh] = holds_.try_emplace(e.hold, read_hold(data));
        if (!fresh) return report(e, "its demands were in the log before");
        known_hold& held = found->second;
        held.action = e.action;
        const json::value* grant = data.find("grant");
        if (!grant) return;
        const auto action = actions_.find(e.action);
        if (action == actions_.end()) return report(e, "its action has no verdict in the log");
        auto wrong = grants_.used(*grant, e.agent, e.at, action->second, asked_of(held),
                                  [&](const std::string& person) { return excludes(held, person); });
        if (!wrong.empty()) return report(e, std::move(wrong));
        held.granted = true;
    }

    static std::vector<asked_of_grant> asked_of(const known_hold& held)
    {
        std::vector<asked_of_grant> all;
        for (const known_demand& d : held.demands) all.push_back({d.asks, d.needed});
        return all;
    }

    bool excludes(const known_hold& held, const std::string& person) const
    {
        return std::any_of(held.demands.begin(), held.demands.end(), [&](const known_demand& d) {
            // Who signed the grant approved the last such call.
            return std::any_of(d.excluded.begin(), d.excluded.end(), [&](const auto& whom) {
                return whom == "last-approver" || people_.means(whom, held.owner, person).value_or(false);
            });
        });
    }

    std::string wrong_grant(const shown_entry& e, const json::value& data)
    {
        const auto found = holds_.find(e.hold);
        if (found == holds_.end()) return "its hold is not in the log";
        const auto action = actions_.find(found->second.action);
        if (action == actions_.end()) return "the call that it came from is not in the log";
        std::vector<signed_grant> approvals;
        for (const auto& [id, d] : found->second.decisions)
            if (d.approves) approvals.push_back({d.person, d.counts_in, d.proof, d.grant});
        return grants_.made(data, e.hold, e.agent, e.at, action->second, approvals, asked_of(found->second));
    }

    void decision(const shown_entry& e, const json::value& data)
    {
        if (data.find("refused")) return;  // an attempt: nothing was decided
        const auto found = holds_.find(e.hold);
        if (found == holds_.end()) return report(e, "its hold is not in the log");
        known_hold& held = found->second;
        const std::string id(text_of(data, "decision"));
        if (data.find("taken_back")) {
            const auto given = held.decisions.find(id);
            if (given == held.decisions.end() || given->second.person != e.person)
                return report(e, "it takes back a decision that this person had not given");
            held.decisions.erase(given);
            return;
        }
        if (held.agent.empty()) held.agent = agent_of(data);
        if (auto wrong = wrong_decision(e, data, held); !wrong.empty()) return report(e, std::move(wrong));
        ++result.decisions;
        known_decision& given = held.decisions[id];
        given = {e.person,
                 text_of(data, "verdict") == "approve",
                 texts_of(data, "workflows"),
                 texts_of(data, "in_place_of"),
                 is_glass(data),
                 e.index,
                 assurance_named(text_of(data, "assurance")).value_or(assurance::click),
                 {}};
        const auto statement = json::document::parse(text_of(data, "statement"));
        const json::value* grant = statement ? statement->root().find("grant") : nullptr;
        if (grant && grant->is(json::kind::object)) given.grant = jcs(*grant);
        if (approved(held)) note_approvers(held);
    }

    std::string wrong_decision(const shown_entry& e, const json::value& data, const known_hold& held)
    {
        const auto text = text_of(data, "statement");
        const auto statement = json::document::parse(text);
        if (!statement || jcs(statement->root()) != text) return "its statement is not in RFC 8785 form";
        const json::value& said = statement->root();
        const json::value* action = said.find("action");
        const json::value* approver = said.find("approver");
        if (!action || !approver) return "its statement names no action or no approver";
        if (text_of(said, "hold") != e.hold || text_of(*action, "id") != e.action || text_of(*approver, "id") != e.person ||
            text_of(said, "decision") != text_of(data, "verdict") || text_of(said, "reason") != text_of(data, "reason"))
            return "its statement is about something else";
        const auto known = actions_.find(e.action);
        if (known == actions_.end()) return "its action has no verdict in the log";
        if (text_of(*action, "digest") != known->second.digest || text_of(*action, "content_digest") != known->second.content_digest)
            return "its statement is bound to another action than was judged";
        if (auto wrong = wrong_standing(e, data, said, held); !wrong.empty()) return wrong;
        return wrong_assurance(e, data, text, held);
    }

    static std::string agent_of(const json::value& data)
    {
        const auto statement = json::document::parse(text_of(data, "statement"));
        const json::value* agent = statement ? statement->root().find("agent") : nullptr;
        return agent ? std::string(text_of(*agent, "id")) : std::string();
    }

    static bool is_glass(const json::value& data)
    {
        const json::value* broken = data.find("break_glass");
        return broken && broken->boolean();
    }

    static bool approved(const known_hold& held)
    {
        return std::all_of(held.demands.begin(), held.demands.end(),
                           [&](const known_demand& d) { return held.broken(d) || held.approvals_in(d) >= d.asks.approvals; });
    }

    // Who approved a call of that agent last under each of its workflows.
    void note_approvers(const known_hold& held)
    {
        for (const known_demand& d : held.demands) {
            const known_decision* last = nullptr;
            for (const auto& [id, given] : held.decisions) {
                const bool counts = std::any_of(given.counts_in.begin(), given.counts_in.end(), [&](const std::string& entry) {
                    return entry == d.asks.name || entry.starts_with(d.asks.name + '/');
                });
                if (given.approves && counts && (!last || given.index > last->index)) last = &given;
            }
            if (last) last_approver_[{held.agent, d.asks.name}] = last->person;
        }
    }

    // Whether this person could decide this hold then, as far as the log can say.
    std::string wrong_standing(const shown_entry& e, const json::value& data, const json::value& said, const known_hold& held) const
    {
        if (held.decided_by(e.person)) return "this person had decided already";
        const json::value* slot = said.find("slot");
        const bool slot_is_glass = slot && slot->string() == "break-glass";
        if (is_glass(data) != slot_is_glass) return "its statement and its record do not agree whether the glass was broken";
        if (is_glass(data)) return wrong_glass(e, data, held);
        if (slot && slot->is(json::kind::integer))
            if (slot->integer() != static_cast<std::int64_t>(held.approvals()) + 1)
                return "its statement is for another place in the quorum";
        if (text_of(data, "verdict") == "approve" && (!slot || !slot->is(json::kind::integer)))
            return "its statement names no place in the quorum";
        for (const std::string& entry : texts_of(data, "workflows"))
            if (entry.ends_with("/break-glass")) return "it counts as a broken glass, and is none";
        if (const std::string handle = people_.handle(e.person); !handle.empty() && held.represented(handle))
            return "somebody else had decided in this person's place";
        for (const std::string& handle : texts_of(data, "in_place_of")) {
            const std::string other = people_.person(handle);
            if (held.represented(handle) || (!other.empty() && held.decided_by(other)))
                return "the place of " + handle + " had been used already";
            if (const auto wrong = wrong_exclusion(held, other); !wrong.empty() && !other.empty()) return wrong + ", in whose place it was";
        }
        return wrong_exclusion(held, e.person);
    }

    std::string wrong_exclusion(const known_hold& held, const std::string& person) const
    {
        for (const known_demand& d : held.demands)
            for (const std::string& whom : d.excluded) {
                // What is not understood lets nobody decide; what the log cannot say is left to the gateway that said it.
                const auto known = target::parse(whom);
                const auto last = last_approver_.find({held.agent, d.asks.name});
                const bool is_last =
                    known && known->kind == target::kind::last_approver && last != last_approver_.end() && last->second == person;
                if (!known || is_last || people_.means(whom, held.owner, person).value_or(false))
                    return "the workflow " + d.asks.name + " excludes this person (" + whom + ")";
            }
        return {};
    }

    // Named people, by a passkey, with a reason; neither the quorum nor `not` is asked.
    std::string wrong_glass(const shown_entry& e, const json::value& data, const known_hold& held) const
    {
        if (text_of(data, "verdict") != "approve") return "nobody denies by breaking the glass";
        if (text_of(data, "assurance") != name_of(assurance::passkey)) return "the glass was broken without a passkey";
        if (text_of(data, "reason").empty()) return "the glass was broken without a reason";
        const auto counts = texts_of(data, "workflows");
        for (const known_demand& d : held.demands) {
            const bool named = std::any_of(d.glass.begin(), d.glass.end(), [&](const std::string& whom) {
                return people_.means(whom, held.owner, e.person).value_or(target::parse(whom).has_value());
            });
            if (known_hold::has(counts, glass_entry(d.asks.name)) && !named)
                return "the workflow " + d.asks.name + " does not name this person among those who may break the glass";
        }
        return {};
    }

    std::string wrong_assurance(const shown_entry& e, const json::value& data, std::string_view statement, const known_hold& held)
    {
        const auto given = assurance_named(text_of(data, "assurance"));
        if (!given) return "its assurance is none that there is";
        for (const known_demand& d : held.demands)
            if (!d.needed || *given < *d.needed) return "the workflow " + d.asks.name + " demands a stronger proof";
        if (*given != assurance::passkey) return {};
        const registered_passkey* passkey = people_.passkey(text_of(data, "credential"));
        if (!passkey || passkey->person != e.person) return "its passkey was not registered by this person";
        if (auto wrong = wrong_proof(data, statement, *passkey); !wrong.empty()) return wrong;
        ++result.signatures;
        return {};
    }

    std::string wrong_release(const shown_entry& e) const
    {
        const auto found = holds_.find(e.hold);
        if (found == holds_.end() || found->second.demands.empty()) return "its hold is not in the log";
        const known_hold& held = found->second;
        if (held.denied()) return "released although it was denied";
        if (held.granted) return {};
        for (const known_demand& d : held.demands)
            if (!held.broken(d) && held.approvals_in(d) < d.asks.approvals)
                return "released with " + std::to_string(held.approvals_in(d)) + " of " + std::to_string(d.asks.approvals) +
                       " approvals of the workflow " + d.asks.name;
        return {};
    }

    std::int64_t next_ = 0;  // index
    std::map<finding_kind, std::size_t> found_;
    known_people people_;
    std::map<std::string, judged_action, std::less<>> actions_;
    grant_check grants_;
    std::map<std::string, known_hold, std::less<>> holds_;
    std::map<std::pair<std::string, std::string>, std::string> last_approver_;  // by agent and workflow
};

record_check::record_check() : checker_(std::make_unique<checker>()) {}
record_check::~record_check() = default;
record_check::record_check(record_check&&) noexcept = default;
record_check& record_check::operator=(record_check&&) noexcept = default;

void record_check::look(const shown_entry& e)
{
    if (const auto data = json::document::parse(e.data)) return look(e, data->root());
    checker_->take_place(e.index);
    ++checker_->result.entries;
    checker_->report(finding_kind::data, e.index, e.kind + ": its data is not JSON");
}

void record_check::look(const shown_entry& e, const json::value& data)
{
    checker_->take_place(e.index);
    ++checker_->result.entries;
    checker_->look(e, data);
}

void record_check::ends_at(std::int64_t size) { checker_->missing_before(size); }

void record_check::report(finding_kind kind, std::int64_t index, std::string message) { checker_->report(kind, index, std::move(message)); }

verification record_check::finish() { return std::move(checker_->result); }

verification verify(std::span<const shown_entry> entries)
{
    record_check all;
    for (const shown_entry& e : entries) all.look(e);
    return all.finish();
}

}  // namespace sallyport::audit
