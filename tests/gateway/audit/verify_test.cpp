// A record in order, and every way in which somebody who can write it might make a decision up.
#include "gateway/audit/verify.hpp"

#include "gateway/canonical/jcs.hpp"
#include "tests/gateway/jose/authenticator.hpp"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <doctest/doctest.h>

#include <functional>
#include <string>
#include <vector>

namespace sallyport::audit {
namespace {

using jose::testing::authenticator;
using jose::testing::tweak;

// SubjectPublicKeyInfo of an Ed25519 key (RFC 8410 §4).
std::string spki(const authenticator& of)
{
    return std::string("\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00", 12) + std::string(of.key.public_half().ed25519_bytes());
}

struct record {
    authenticator ada{"credential of ada"}, grace{"credential of grace"}, olaf{"credential of olaf"};
    std::vector<shown_entry> entries;

    shown_entry& add(const char* kind, const std::string& person, const boost::json::object& data, const char* hold = "")
    {
        shown_entry e;
        e.index = static_cast<std::int64_t>(entries.size());
        e.kind = kind;
        e.person = person;
        e.hold = hold;
        e.action = *hold ? "act_1" : "";
        e.data = boost::json::serialize(data);
        return entries.emplace_back(std::move(e));
    }
    void registered(const std::string& handle, const authenticator& passkey)
    {
        add("admin", "per_" + handle,
            {{"act", "passkey.add"},
             {"handle", handle},
             {"credential", base64url(passkey.id)},
             {"key", base64(spki(passkey))},
             {"relying_party", "localhost"}});
    }
    void joined(const std::string& team, const std::string& handle)
    {
        add("admin", "", {{"act", "team.join"}, {"name", team}, {"handle", handle}});
    }
    void held(int approvals, std::vector<std::string> excluded = {}, const char* needed = "passkey", const boost::json::object& more = {},
              const char* hold = "hld_1")
    {
        add("verdict", "", {{"verdict", "hold"}, {"digest", "digest of the action"}, {"content_digest", nullptr}}, hold);
        boost::json::object demand{{"workflow", "finance"},
                                   {"approvals", approvals},
                                   {"assurance", needed},
                                   {"not", boost::json::array(excluded.begin(), excluded.end())}};
        for (const auto& [name, value] : more) demand[name] = value;
        add("hold", "", {{"status", "held"}, {"owner", "olaf"}, {"demands", boost::json::array{std::move(demand)}}}, hold);
    }
    // `slot`: a number, or `break-glass`.
    boost::json::object decision(const std::string& handle, const authenticator& by, const boost::json::value& slot,
                                 const std::string& verdict = "approve", const tweak& t = {}, const char* hold = "hld_1",
                                 const char* reason = "") const
    {
        const bool approves = verdict == "approve";
        const std::string statement = jcs(boost::json::object{
            {"type", "sallyport.statement.v1"},
            {"hold", hold},
            {"decision", verdict},
            {"reason", *reason ? boost::json::value(reason) : boost::json::value(nullptr)},
            {"agent", {{"id", "agt_1"}}},
            {"action", {{"id", "act_1"}, {"digest", "digest of the action"}, {"content_digest", nullptr}}},
            {"approver", {{"id", "per_" + handle}, {"name", handle}}},
            {"slot", approves ? slot : boost::json::value(nullptr)},
        });
        auto said = by.get(sha256(statement).base64url(), t).at("response").as_object();
        return {{"decision", "dec_" + handle},
                {"verdict", verdict},
                {"reason", reason},
                {"assurance", "passkey"},
                {"workflows", boost::json::array{"finance"}},
                {"statement", statement},
                {"authenticatorData", said.at("authenticatorData")},
                {"clientDataJSON", said.at("clientDataJSON")},
                {"signature", said.at("signature")},
                {"credential", base64url(by.id)},
                {"key", base64(spki(by))}};
    }
    void decided(const std::string& handle, const boost::json::object& data, const char* hold = "hld_1")
    {
        add("decision", "per_" + handle, data, hold);
    }
    boost::json::object counting(boost::json::object data, std::vector<std::string> counts, const char* more = nullptr) const
    {
        data["workflows"] = boost::json::array(counts.begin(), counts.end());
        if (more) data[more] = true;
        return data;
    }
    void released() { add("release", "", {{"status", "releasing"}, {"attempt", 1}}, "hld_1"); }

    void good()
    {
        registered("ada", ada);
        registered("grace", grace);
        held(2, {"owner"});
        decided("ada", decision("ada", ada, 1));
        decided("grace", decision("grace", grace, 2));
        released();
    }
    std::string findings() const
    {
        std::string all;
        for (const finding& f : verify(entries).findings) all += f.message + "\n";
        return all;
    }
};

}  // namespace

TEST_CASE_FIXTURE(record, "a record in order")
{
    good();
    const auto found = verify(entries);
    CHECK(findings() == "");
    CHECK(found.entries == 7);
    CHECK(found.decisions == 2);
    CHECK(found.signatures == 2);
    CHECK(found.releases == 1);
}

TEST_CASE_FIXTURE(record, "decisions that were made up")
{
    struct row {
        const char* name;
        std::function<void(record&)> write;
        const char* found;
    };
    const authenticator forged("credential of ada");
    const auto one = [](record& r) {
        r.registered("ada", r.ada);
        r.held(1);
    };
    const auto changed = [&](auto change) {
        return [=](record& r) {
            one(r);
            auto data = r.decision("ada", r.ada, 1);
            change(data);
            r.decided("ada", data);
        };
    };
    const row rows[] = {
        {"by a session, where a passkey is demanded", changed([](auto& d) { d["assurance"] = "session"; }), "demands a stronger proof"},
        {"by something that is no proof", changed([](auto& d) { d["assurance"] = "trust-me"; }), "its assurance is none that there is"},
        {"without saying how", changed([](auto& d) { d.erase("assurance"); }), "its assurance is none that there is"},
        {"by a key of the forger's",
         [&](record& r) {
             one(r);
             r.decided("ada", r.decision("ada", forged, 1));
         },
         "its key is not the one that was registered"},
        {"by a passkey that nobody registered",
         [&](record& r) {
             one(r);
             r.decided("ada", r.decision("ada", r.grace, 1));
         },
         "its passkey was not registered by this person"},
        {"by somebody else's passkey",
         [&](record& r) {
             one(r);
             r.registered("grace", r.grace);
             r.decided("ada", r.decision("ada", r.grace, 1));
         },
         "its passkey was not registered by this person"},
        {"by a passkey that was taken away",
         [&](record& r) {
             one(r);
             r.add("admin", "per_ada", {{"act", "person.invite"}, {"handle", "ada"}, {"reset", true}});
             r.decided("ada", r.decision("ada", r.ada, 1));
         },
         "its passkey was not registered by this person"},
        {"by a passkey that was registered later",
         [&](record& r) {
             r.held(1);
             r.decided("ada", r.decision("ada", r.ada, 1));
             r.registered("ada", r.ada);
         },
         "its passkey was not registered by this person"},
        {"for another site",
         [&](record& r) {
             one(r);
             r.decided("ada", r.decision("ada", r.ada, 1, "approve", {.rp_id = "example.com"}));
         },
         "its passkey was used for another site"},
        {"without its user",
         [&](record& r) {
             one(r);
             r.decided("ada", r.decision("ada", r.ada, 1, "approve", {.flags = jose::testing::user_present}));
         },
         "its signer was not verified"},
        {"with a signature of something else", changed([](auto& d) { d["signature"] = base64url(std::string(64, 's')); }),
         "its signature does not verify"},
        {"without a signature", changed([](auto& d) { d.erase("signature"); }), "its evidence is incomplete"},
        {"a denial turned round", changed([](auto& d) { d["verdict"] = "deny"; }), "its statement is about something else"},
        {"with another reason", changed([](auto& d) { d["reason"] = "gladly"; }), "its statement is about something else"},
        {"of a hold that is not there",
         [&](record& r) {
             r.registered("ada", r.ada);
             r.decided("ada", r.decision("ada", r.ada, 1));
         },
         "its hold is not in the log"},
        {"by whom the workflow excludes: the owner",
         [&](record& r) {
             r.registered("olaf", r.olaf);
             r.held(1, {"owner"});
             r.decided("olaf", r.decision("olaf", r.olaf, 1));
         },
         "the workflow finance excludes this person (owner)"},
        {"by whom the workflow excludes: a team's member",
         [&](record& r) {
             r.registered("ada", r.ada);
             r.joined("risk", "ada");
             r.held(1, {"team:risk"});
             r.decided("ada", r.decision("ada", r.ada, 1));
         },
         "the workflow finance excludes this person (team:risk)"},
        {"twice by one person",
         [&](record& r) {
             r.registered("ada", r.ada);
             r.held(2);
             r.decided("ada", r.decision("ada", r.ada, 1));
             auto again = r.decision("ada", r.ada, 2);
             again["decision"] = "dec_2";
             r.decided("ada", again);
         },
         "this person had decided already"},
        {"for a place that is taken",
         [&](record& r) {
             r.registered("ada", r.ada);
             r.registered("grace", r.grace);
             r.held(2);
             r.decided("ada", r.decision("ada", r.ada, 1));
             r.decided("grace", r.decision("grace", r.grace, 1));
         },
         "its statement is for another place in the quorum"},
        {"demands that were made easier",
         [&](record& r) {
             one(r);
             r.add("hold", "", {{"status", "held"}, {"demands", boost::json::array{}}}, "hld_1");
         },
         "its demands were in the log before"},
        {"taken back by somebody else",
         [&](record& r) {
             one(r);
             r.decided("ada", r.decision("ada", r.ada, 1));
             r.decided("grace", {{"decision", "dec_ada"}, {"taken_back", true}});
         },
         "it takes back a decision that this person had not given"},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        record all;
        r.write(all);
        const std::string found = all.findings();
        CAPTURE(found);
        CHECK(found.find(r.found) != std::string::npos);
    }
}

TEST_CASE_FIXTURE(record, "what was released without its quorum")
{
    registered("ada", ada);
    registered("grace", grace);
    SUBCASE("nobody")
    {
        held(1);
        released();
        CHECK(findings() == "release: released with 0 of 1 approvals of the workflow finance\n");
    }
    SUBCASE("one of two")
    {
        held(2);
        decided("ada", decision("ada", ada, 1));
        released();
        CHECK(findings() == "release: released with 1 of 2 approvals of the workflow finance\n");
    }
    SUBCASE("an approval that does not count there")
    {
        held(1);
        auto data = decision("ada", ada, 1);
        data["workflows"] = boost::json::array{"another"};
        decided("ada", data);
        released();
        CHECK(findings() == "release: released with 0 of 1 approvals of the workflow finance\n");
    }
    SUBCASE("one taken back")
    {
        held(1);
        decided("ada", decision("ada", ada, 1));
        decided("ada", {{"decision", "dec_ada"}, {"taken_back", true}});
        released();
        CHECK(findings() == "release: released with 0 of 1 approvals of the workflow finance\n");
    }
    SUBCASE("though it was denied")
    {
        held(1);
        decided("ada", decision("ada", ada, 1));
        decided("grace", decision("grace", grace, 0, "deny"));
        released();
        CHECK(findings() == "release: released although it was denied\n");
    }
    SUBCASE("a hold that is not in the log")
    {
        released();
        CHECK(findings() == "release: its hold is not in the log\n");
    }
}

TEST_CASE_FIXTURE(record, "what decides nothing, and what proves less where less is asked")
{
    registered("ada", ada);
    held(1, {"person:grace"}, "session");
    decided("ada", {{"refused", "bad-assertion"}, {"detail", "x"}});
    auto light = decision("ada", ada, 1);
    light["assurance"] = "session";
    decided("ada", light);
    released();
    CHECK(findings() == "");
    CHECK(verify(entries).signatures == 0);

    entries.erase(entries.begin() + 3);
    CHECK(findings().find("an entry is missing") != std::string::npos);
}

TEST_CASE("places are filled by distinct people, as the log says what each could fill")
{
    const boost::json::object places{{"places", boost::json::array{boost::json::object{{"of", "team:finance"}, {"approvals", 1}},
                                                                   boost::json::object{{"of", "team:legal"}, {"approvals", 1}}}}};
    struct row {
        const char* name;
        std::vector<std::string> ada, grace;
        const char* found;
    };
    const row rows[] = {
        {"one of each", {"finance/team:finance"}, {"finance/team:legal"}, ""},
        {"one of both, and one", {"finance/team:finance", "finance/team:legal"}, {"finance/team:finance"}, ""},
        {"two of one", {"finance/team:finance"}, {"finance/team:finance"}, "released with 1 of 2 approvals"},
        {"the workflow's name alone fills nothing", {"finance"}, {"finance/team:legal"}, "released with 1 of 2 approvals"},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        record all;
        all.registered("ada", all.ada);
        all.registered("grace", all.grace);
        all.held(2, {}, "passkey", places);
        all.decided("ada", all.counting(all.decision("ada", all.ada, 1), r.ada));
        all.decided("grace", all.counting(all.decision("grace", all.grace, 2), r.grace));
        all.released();
        const auto found = all.findings();
        if (*r.found)
            CHECK_MESSAGE(found.find(r.found) != std::string::npos, found);
        else
            CHECK(found.empty());
    }
}

TEST_CASE("a broken glass is one that was named, signed as such, by passkey and with a reason")
{
    const boost::json::object glass{{"break_glass", boost::json::array{"person:olaf", "team:security"}}};
    struct row {
        const char* name;
        const char* who;
        boost::json::value slot;
        const char* reason;
        std::function<void(boost::json::object&)> change;
        const char* found;
    };
    const auto nothing = [](boost::json::object&) {};
    const row rows[] = {
        {"as it should be", "olaf", "break-glass", "fire", nothing, ""},
        {"by team", "grace", "break-glass", "fire", nothing, ""},
        {"somebody else", "ada", "break-glass", "fire", nothing, "does not name this person"},
        {"signed as a place", "olaf", 1, "fire", nothing, "do not agree whether the glass was broken"},
        {"without a reason", "olaf", "break-glass", "", nothing, "without a reason"},
        {"recorded quietly", "olaf", "break-glass", "fire", [](auto& d) { d.erase("break_glass"); }, "do not agree"},
        {"by a click", "olaf", "break-glass", "fire", [](auto& d) { d["assurance"] = "click"; }, "without a passkey"},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        record all;
        all.registered("ada", all.ada);
        all.registered("grace", all.grace);
        all.registered("olaf", all.olaf);
        all.joined("security", "grace");
        all.held(2, {"owner"}, "click", glass);
        const auto& by = std::string(r.who) == "ada" ? all.ada : std::string(r.who) == "grace" ? all.grace : all.olaf;
        auto data = all.counting(all.decision(r.who, by, r.slot, "approve", {}, "hld_1", r.reason), {"finance/break-glass"}, "break_glass");
        r.change(data);
        all.decided(r.who, data);
        all.released();
        const auto found = all.findings();
        if (*r.found)
            CHECK_MESSAGE(found.find(r.found) != std::string::npos, found);
        else
            CHECK_MESSAGE(found.empty(), found);
    }
    // One approval among others does not count as a glass.
    record sly;
    sly.registered("ada", sly.ada);
    sly.held(2, {}, "passkey", glass);
    sly.decided("ada", sly.counting(sly.decision("ada", sly.ada, 1), {"finance/break-glass"}));
    sly.released();
    CHECK(sly.findings().find("it counts as a broken glass, and is none") != std::string::npos);
    CHECK(sly.findings().find("released with 0 of 2") != std::string::npos);
}

TEST_CASE("whose place it was is used once, and the last approver does not approve the next")
{
    record all;
    all.registered("ada", all.ada);
    all.registered("grace", all.grace);
    all.registered("olaf", all.olaf);
    all.held(2);
    auto for_olaf = all.decision("ada", all.ada, 1);
    for_olaf["in_place_of"] = boost::json::array{"olaf"};
    all.decided("ada", for_olaf);
    record twice = all;
    twice.decided("olaf", twice.decision("olaf", twice.olaf, 2));
    CHECK(twice.findings().find("somebody else had decided in this person's place") != std::string::npos);
    auto also = all.decision("grace", all.grace, 2);
    also["in_place_of"] = boost::json::array{"olaf"};
    all.decided("grace", also);
    CHECK(all.findings().find("the place of olaf had been used already") != std::string::npos);

    record turns;
    turns.registered("ada", turns.ada);
    turns.registered("grace", turns.grace);
    turns.held(1, {"last-approver"}, "passkey", {}, "hld_1");
    turns.decided("ada", turns.decision("ada", turns.ada, 1), "hld_1");
    turns.held(1, {"last-approver"}, "passkey", {}, "hld_2");
    record fine = turns;
    fine.decided("grace", fine.decision("grace", fine.grace, 1, "approve", {}, "hld_2"), "hld_2");
    CHECK(fine.findings().empty());
    turns.decided("ada", turns.decision("ada", turns.ada, 1, "approve", {}, "hld_2"), "hld_2");
    CHECK(turns.findings().find("excludes this person (last-approver)") != std::string::npos);
}

namespace {

// A call of refund-bot that ada approved with a grant for two more, of 1000 together; and one that passed by it.
struct granted_record : record {
    const boost::json::object terms{
        {"shape",
         {{"route", "payments"},
          {"scheme", "https"},
          {"authority", "api.example"},
          {"method", "POST"},
          {"target", "/v1/refunds"},
          {"task", nullptr},
          {"headers", boost::json::array{}},
          {"fields", boost::json::array{boost::json::object{{"pointer", "/amount"}, {"type", "number"}, {"equals", "500"}}}},
          {"content_digest", nullptr}}},
        {"count", 2},
        {"sum", {{"pointer", "/amount"}, {"at_most", "1000"}}},
        {"seconds", 600},
    };
    boost::json::object signed_terms = terms;
    boost::json::object demand{{"workflow", "finance"}, {"approvals", 1}, {"assurance", "passkey"}, {"not", boost::json::array{"owner"}}};
    boost::json::object made{{"act", "grant.make"},
                             {"grant", "grt_1"},
                             {"terms", terms},
                             {"created_at", "2026-01-05T09:00:00Z"},
                             {"expires_at", "2026-01-05T09:10:00Z"}};
    boost::json::object use{{"id", "grt_1"}, {"used", 1}, {"amount", "500"}};
    boost::json::object verdict{{"verdict", "hold"},      {"digest", "digest of the action"}, {"content_digest", "sha-256=:x:"},
                                {"route", "payments"},    {"authority", "api.example"},       {"method", "POST"},
                                {"target", "/v1/refunds"}};
    time_point at = *parse_rfc3339("2026-01-05T09:09:59Z");
    std::string agent = "agt_1", owner = "olaf";
    bool is_revoked = false;
    int uses = 1, makes = 1;
    bool by_session = false;
    boost::json::object later = demand;  // what the call that passed demands

    void write()
    {
        registered("ada", ada);
        auto first = verdict;
        add("verdict", "", first, "hld_1").agent = "agt_1";
        add("hold", "", {{"owner", "olaf"}, {"demands", boost::json::array{demand}}}, "hld_1").agent = "agt_1";
        const std::string statement = jcs(boost::json::object{
            {"hold", "hld_1"},
            {"decision", "approve"},
            {"reason", nullptr},
            {"action", {{"id", "act_1"}, {"digest", "digest of the action"}, {"content_digest", "sha-256=:x:"}}},
            {"approver", {{"id", "per_ada"}}},
            {"slot", 1},
            {"grant", signed_terms},
        });
        const auto said = ada.get(sha256(statement).base64url()).at("response").as_object();
        auto data = decision("ada", ada, 1);
        data["statement"] = statement;
        for (const char* part : {"authenticatorData", "clientDataJSON", "signature"}) data[part] = said.at(part);
        if (by_session) data["assurance"] = "session";
        decided("ada", data);
        for (int i = 0; i < makes; ++i) {
            made["grant"] = "grt_" + std::to_string(i + 1);
            auto& left = add("admin", "per_ada", made, "hld_1");
            left.agent = "agt_1";
            left.at = *parse_rfc3339("2026-01-05T09:00:00Z");
        }
        if (is_revoked) add("admin", "per_ada", {{"act", "grant.revoke"}, {"grant", "grt_1"}}, "hld_1");
        for (int i = 0; i < uses; ++i) {
            const std::string id = "hld_" + std::to_string(i + 2);
            add("verdict", "", verdict, id.c_str()).action = "act_of_" + id;
            auto& held = add("hold", "", {{"owner", owner}, {"demands", boost::json::array{later}}, {"grant", use}}, id.c_str());
            held.action = "act_of_" + id;
            held.agent = agent;
            held.at = at;
            add("release", "", {{"status", "releasing"}, {"attempt", 1}}, id.c_str()).action = "act_of_" + id;
        }
    }
};

}  // namespace

TEST_CASE("a call that passed by a grant is in order if people signed for such calls")
{
    struct row {
        const char* name;
        std::function<void(granted_record&)> change;
        const char* finds;  // a part of what is found; empty: nothing
    };
    const row rows[] = {
        {"in order", [](granted_record&) {}, ""},
        {"twice", [](granted_record& r) { r.uses = 2; }, ""},
        {"three times", [](granted_record& r) { r.uses = 3; }, "a grant that was used up"},
        {"for too much", [](granted_record& r) { r.uses = 2, r.use["amount"] = "500.01"; }, "whose sum was used up"},
        {"for a negative amount", [](granted_record& r) { r.use["amount"] = "-500"; }, "for an amount that is none"},
        {"too late", [](granted_record& r) { r.at = *parse_rfc3339("2026-01-05T09:10:00Z"); }, "had expired"},
        {"after it was revoked", [](granted_record& r) { r.is_revoked = true; }, "was revoked"},
        {"by another grant", [](granted_record& r) { r.use["id"] = "grt_2"; }, "not in the log"},
        {"of another agent", [](granted_record& r) { r.agent = "agt_2"; }, "another agent's grant"},
        {"nobody signed it", [](granted_record& r) { r.signed_terms = {}; }, "nobody who counts has signed the grant"},
        {"other terms were signed", [](granted_record& r) { r.signed_terms["count"] = 1; }, "nobody who counts has signed the grant"},
        {"later than it was made",
         [](granted_record& r) { r.made["created_at"] = "2026-01-05T10:00:00Z", r.made["expires_at"] = "2026-01-05T10:10:00Z"; },
         "begins later"},
        {"the same hold's second", [](granted_record& r) { r.makes = 2; }, "has left a grant behind before"},
        {"signed by a session",
         [](granted_record& r) { r.by_session = true, r.demand["assurance"] = "session", r.later["assurance"] = "session"; },
         "0 of 1 signatures"},
        {"longer than was signed", [](granted_record& r) { r.made["expires_at"] = "2026-01-05T10:00:00Z"; }, "lasts longer or shorter"},
        {"two are asked for", [](granted_record& r) { r.later["approvals"] = 2; }, "1 of 2 signatures"},
        {"who signed owns the agent now", [](granted_record& r) { r.owner = "ada"; }, "nobody who counts has signed the grant"},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        granted_record log;
        r.change(log);
        log.write();
        const std::string found = log.findings();
        CAPTURE(found);
        if (*r.finds)
            CHECK(found.find(r.finds) != std::string::npos);
        else
            CHECK(found.empty());
    }
    // Another call than the grant is for.
    granted_record log;
    log.write();
    for (shown_entry& e : log.entries)
        if (e.kind == "verdict" && e.hold == "hld_2") {
            auto data = boost::json::parse(e.data).as_object();
            data["target"] = "/v1/payouts";
            e.data = boost::json::serialize(data);
        }
    CHECK(log.findings().find("a grant for other calls") != std::string::npos);
    CHECK(log.findings().find("released with 0 of 1") != std::string::npos);
}

}  // namespace sallyport::audit
