// People with passkeys, an agent, and holds, in a real database; the resources of the API are asked as the listener asks them.
#pragma once

#include "gateway/canonical/content_digest.hpp"
#include "gateway/people/call.hpp"
#include "gateway/people/request.hpp"
#include "gateway/people/resources.hpp"
#include "gateway/release/payload.hpp"
#include "storage/agent_store.hpp"
#include "storage/directory_store.hpp"
#include "storage/hold_store.hpp"
#include "storage/passkey_store.hpp"
#include "storage/person_store.hpp"
#include "tests/gateway/identity/keys.hpp"
#include "tests/gateway/jose/authenticator.hpp"
#include "workflows/hold_step.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace sallyport::people::testing {

using namespace jose::testing;
using namespace std::chrono_literals;

struct asked_of {
    std::vector<std::string> path;
    std::string body;
    std::vector<parameter> query;
    std::string session = {};  // the cookie's token
};

struct scene : storage::fixture {
    using storage::fixture::ask;

    keyring ring = identity::testing::some_keyring();
    surroundings around{ring, secret("statement key"), secret("challenge key"), secret("decision")};
    std::shared_ptr<config::configuration> config = std::make_shared<config::configuration>();
    std::map<std::string, authenticator> passkeys;
    agent bot;

    scene() : fixture(4)
    {
        config->public_url = "http://localhost:8081";
        config->public_host = "localhost";
        bot.id = storage::some_id<agent_id>(1);
        bot.name = "refund-bot";
        bot.cls = agent_class::digital_worker;
        bot.owner = {owner_name::kind::person, "olaf"};
        in([&](storage::transaction& tx) { storage::person_store::add_team(tx, "finance").value(); });
        add("ada", role::approver, true);
        add("grace", role::approver, true);
        add("olaf", role::approver, false);
        add("stranger", role::approver, false);
        add("auditor", role::auditor, true);
        in([&](storage::transaction& tx) { storage::agent_store::add(tx, bot).value(); });
    }

    void add(const std::string& handle, role what, bool in_finance)
    {
        storage::invitation i;
        i.id = storage::some_id<person_id>(static_cast<unsigned>(passkeys.size()) + 1);
        i.handle = handle;
        i.name = "Name of " + handle;
        i.email = handle + "@example.com";
        i.roles = {what};
        i.code_hash = storage::bytes32(static_cast<char>('0' + passkeys.size()));
        authenticator& own = passkeys.emplace(handle, authenticator("credential of " + handle)).first->second;
        own.user_handle = {reinterpret_cast<const char*>(i.id.bytes().data()), i.id.bytes().size()};
        in([&](storage::transaction& tx) {
            i.expires_at = tx.now() + 1h;
            storage::person_store::invite(tx, i).value();
            if (in_finance) storage::person_store::join_team(tx, "finance", handle).value();
            storage::passkey p;
            p.credential_id = own.id;
            p.person = i.id;
            p.public_key = spki(own);
            p.user_handle = own.user_handle;
            storage::passkey_store::add(tx, p).value();
        });
    }

    /// SubjectPublicKeyInfo of an Ed25519 key (RFC 8410 §4).
    static std::string spki(const authenticator& of)
    {
        return std::string("\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00", 12) + std::string(of.key.public_half().ed25519_bytes());
    }

    identity::standing_ptr standing(storage::transaction& tx) const
    {
        auto all = storage::directory_store::load(tx);
        auto now = std::make_shared<identity::standing>();
        now->config = config;
        now->directory = std::make_shared<const directory>(all.generation, std::move(all.people), std::vector<std::string>{},
                                                           std::move(all.agents), identity::arrangements_of(config));
        now->credentials = std::make_shared<const identity::credential_map>();
        return now;
    }

    /// As the listener does: a failure rolls back and is a problem document.
    reply ask(answer_function resource, const std::string& handle, asked_of what)
    {
        auto done = db().run_blocking([&](storage::transaction& tx) -> result<reply> {
            call c;
            c.standing = standing(tx);
            c.around = &around;
            c.path = what.path;
            c.query = what.query;
            c.body = what.body;
            c.session = what.session;
            c.person = storage::person_store::by_handle(tx, handle);
            return resource(tx, c);
        });
        return done ? std::move(*done) : problem_reply(done.error());
    }

    struct asks {
        int approvals = 1;
        std::vector<std::string> whom{"team:finance"};
        std::vector<std::string> later{};  // a second step
        std::vector<std::string> excluded{};
        assurance needed = assurance::passkey;
        std::string summary = "Refund 900 EUR";
        std::string body = R"({"amount":900})";
        duration for_ = 10min;
        std::vector<std::pair<std::string, int>> places{};
        std::vector<std::string> glass{};
    };
    hold_id hold_for(const asks& a)
    {
        const unsigned n = ++holds_;
        const auto targets = [](const std::vector<std::string>& words) {
            std::vector<sallyport::target> all;
            for (const auto& w : words) all.push_back(sallyport::target::parse(w).value());
            return all;
        };
        workflow w;
        w.name = "finance";
        w.approvals = a.approvals;
        w.assurance = a.needed;
        w.not_ = targets(a.excluded);
        w.break_glass = targets(a.glass);
        for (const auto& [of, count] : a.places) w.places.push_back({sallyport::target::parse(of).value(), count});
        w.steps = {{targets(a.whom), {}, a.for_}};
        if (!a.later.empty()) w.steps.push_back({targets(a.later), {}, a.for_});

        action sent;
        sent.id = storage::some_id<action_id>(n);
        sent.agent = bot.id;
        sent.route = "payments";
        sent.method = "POST";
        sent.authority = "api.payments.example";
        sent.target = "/v1/refunds";
        sent.headers = {{"content-type", "application/json"}};
        sent.body = a.body;
        sent.content_digest = content_digest(a.body);

        const auto id = storage::some_id<hold_id>(n);
        in([&](storage::transaction& tx) {
            const auto now = tx.now();
            storage::new_hold row;
            row.action.id = sent.id;
            row.action.agent = bot.id;
            row.action.route = sent.route;
            row.action.policy = "aa11";
            row.action.scheme = "https";
            row.action.method = sent.method;
            row.action.authority = sent.authority;
            row.action.target = sent.target;
            row.action.content_digest = *sent.content_digest;
            row.action.digest = action_digest(sent).base64url();
            row.action.content_length = static_cast<std::int64_t>(sent.body.size());
            row.action.media_type = "application/json";
            row.action.sealed_payload = release::seal_payload(ring, sent);
            row.action.rules = "[]";
            row.action.created_at = now;
            auto fresh = make_hold(id, sent.id, bot, sent.route, {{"refunds", a.summary}}, {w}, now);
            storage::hold_store::read_last_approvals(tx, fresh);
            auto opened = step(fresh, happened::opened{}, *standing(tx)->directory, now);
            row.hold = std::get<moved>(opened).next;
            REQUIRE(storage::hold_store::create(tx, std::span(&row, 1), {}).at(0).what == storage::created::kind::created);
        });
        return id;
    }

    /// The statement's answer.
    reply state(const std::string& handle, hold_id hold, std::string_view decision = "approve")
    {
        return ask(&make_statement, handle, {{"holds", hold.text(), "statement"}, R"({"decision":")" + std::string(decision) + "\"}", {}});
    }
    static std::string text_of(const reply& r, const char* name)
    {
        return std::string(boost::json::parse(r.body).as_object().at(name).as_string());
    }

    reply answer(const std::string& handle, hold_id hold, const std::string& statement, const boost::json::value& assertion)
    {
        boost::json::object body{{"statement", statement}};
        if (!assertion.is_null()) body["assertion"] = assertion;
        return ask(&decide, handle, {{"holds", hold.text(), "decisions"}, boost::json::serialize(body), {}});
    }
    reply sign(const std::string& handle, hold_id hold, const reply& stated, const tweak& t = {})
    {
        return answer(handle, hold, text_of(stated, "statement"), passkeys.at(handle).get(text_of(stated, "sha256"), t));
    }
    reply decides(const std::string& handle, hold_id hold, std::string_view decision = "approve")
    {
        return sign(handle, hold, state(handle, hold, decision));
    }

    hold read(hold_id id)
    {
        return in([&](storage::transaction& tx) { return storage::hold_store::get(tx, id).value().hold; });
    }

    /// `201`, or the problem's name.
    static std::string outcome(const reply& r)
    {
        if (r.status < 400) return std::to_string(r.status);
        constexpr std::string_view urn = "urn:sallyport:problem:";
        const std::string type = text_of(r, "type");
        REQUIRE(type.starts_with(urn));
        return type.substr(urn.size());
    }

private:
    unsigned holds_ = 0;
};

}  // namespace sallyport::people::testing
