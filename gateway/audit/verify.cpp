#include "gateway/audit/verify.hpp"

#include "gateway/audit/grant_check.hpp"
#include "gateway/audit/passkey_proof.hpp"
#include "gateway/canonical/jcs.hpp"
#include "gateway/canonical/json.hpp"
#include "workflows/agent.hpp"
#include "workflows/encoding.hpp"
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

    const registered_passkey* passkey(std::string_view credential) const
    {
        const auto found = passkeys_.find(credential);
        return found == passkeys_.end() ? nullptr : &found->second;
    }

    bool means(std::string_view written, std::string_view owner_text, const std::string& person) const
    {
        const auto whom = target::parse(written);
        if (!whom) return true;  // what is not understood lets nobody decide
        const auto known = handles_.find(person);
        const std::string handle = known == handles_.end() ? std::string() : known->second;
        switch (whom->kind) {
        case target::kind::owner: {
            const auto owner = owner_name::parse(owner_text);
            if (!owner) return true;
            return owner->kind == owner_name::kind::team ? is_member(owner->name, handle) : owner->name == handle;
        }
        case target::kind::person: return whom->name == handle;
        case target::kind::team: return is_member(whom->name, handle);
        case target::kind::schedule: return false;  // who was on call the log does not say
        }
        return true;
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
    std::string workflow;
    std::size_t approvals = 0;
    std::optional<assurance> needed;
    std::vector<std::string> excluded;
};

struct known_decision {
    std::string person;
    bool approves = false;
    std::vector<std::string> counts_in;
    assurance proof = assurance::click;
    std::string grant;  // the terms that its statement names
};

struct known_hold {
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
    std::size_t approvals_in(const std::string& workflow) const
    {
        return static_cast<std::size_t>(std::count_if(decisions.begin(), decisions.end(), [&](const auto& d) {
            const auto& counts_in = d.second.counts_in;
            return d.second.approves && std::find(counts_in.begin(), counts_in.end(), workflow) != counts_in.end();
        }));
    }
};

known_hold read_hold(const json::value& data)
{
    known_hold h;
    h.owner = text_of(data, "owner");
    const json::value* demands = data.find("demands");
    for (std::size_t i = 0; demands && i < demands->size(); ++i) {
        const json::value& one = demands->at(i);
        const json::value* approvals = one.find("approvals");
        h.demands.push_back({std::string(text_of(one, "workflow")),
                             approvals && approvals->is(json::kind::integer) && approvals->integer() > 0
                                 ? static_cast<std::size_t>(approvals->integer())
                                 : std::size_t{1},
                             assurance_named(text_of(one, "assurance")), texts_of(one, "not")});
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
        for (const known_demand& d : held.demands) all.push_back({d.workflow, d.approvals, d.needed});
        return all;
    }

    bool excludes(const known_hold& held, const std::string& person) const
    {
        return std::any_of(held.demands.begin(), held.demands.end(), [&](const known_demand& d) {
            return std::any_of(d.excluded.begin(), d.excluded.end(),
                               [&](const auto& whom) { return people_.means(whom, held.owner, person); });
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
        return grants_.made(data, e.agent, action->second, approvals, asked_of(found->second));
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
        if (auto wrong = wrong_decision(e, data, held); !wrong.empty()) return report(e, std::move(wrong));
        ++result.decisions;
        known_decision& given = held.decisions[id];
        given = {e.person,
                 text_of(data, "verdict") == "approve",
                 texts_of(data, "workflows"),
                 assurance_named(text_of(data, "assurance")).value_or(assurance::click),
                 {}};
        const auto statement = json::document::parse(text_of(data, "statement"));
        const json::value* grant = statement ? statement->root().find("grant") : nullptr;
        if (grant && grant->is(json::kind::object)) given.grant = jcs(*grant);
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
        if (auto wrong = wrong_standing(e, said, held); !wrong.empty()) return wrong;
        return wrong_assurance(e, data, text, held);
    }

    // Whether this person could decide this hold then, as far as the log can say.
    std::string wrong_standing(const shown_entry& e, const json::value& said, const known_hold& held) const
    {
        if (held.decided_by(e.person)) return "this person had decided already";
        if (const json::value* slot = said.find("slot"); slot && slot->is(json::kind::integer))
            if (slot->integer() != static_cast<std::int64_t>(held.approvals()) + 1)
                return "its statement is for another place in the quorum";
        for (const known_demand& d : held.demands)
            for (const std::string& whom : d.excluded)
                if (people_.means(whom, held.owner, e.person)) return "the workflow " + d.workflow + " excludes this person (" + whom + ")";
        return {};
    }

    std::string wrong_assurance(const shown_entry& e, const json::value& data, std::string_view statement, const known_hold& held)
    {
        const auto given = assurance_named(text_of(data, "assurance"));
        if (!given) return "its assurance is none that there is";
        for (const known_demand& d : held.demands)
            if (!d.needed || *given < *d.needed) return "the workflow " + d.workflow + " demands a stronger proof";
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
            if (held.approvals_in(d.workflow) < d.approvals)
                return "released with " + std::to_string(held.approvals_in(d.workflow)) + " of " + std::to_string(d.approvals) +
                       " approvals of the workflow " + d.workflow;
        return {};
    }

    std::int64_t next_ = 0;  // index
    std::map<finding_kind, std::size_t> found_;
    known_people people_;
    std::map<std::string, judged_action, std::less<>> actions_;
    grant_check grants_;
    std::map<std::string, known_hold, std::less<>> holds_;
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
