#include "gateway/identity/records_json.hpp"
#include "gateway/identity/scope.hpp"
#include "gateway/jose/key.hpp"
#include "gateway/jose/random.hpp"
#include "gateway/log/log.hpp"
#include "gateway/release/hold_moves.hpp"
#include "gateway/release/releaser.hpp"
#include "gateway/serve/admin_request.hpp"
#include "storage/agent_store.hpp"

#include <boost/json/array.hpp>

namespace sallyport::serve {
namespace {

constexpr std::size_t longest_purpose = 1000;

result<agent_key> key_of(const std::string& text)
{
    auto key = jose::public_key::parse(text);
    if (!key) return key.error();
    return agent_key{key->kid(), key->jwk(), std::nullopt};
}

result<agent> agent_of(const services& all, const admin_request& request)
{
    agent made;
    made.name = request.text("name");
    if (!valid_name(made.name))
        return fail(problem::invalid_input, "A name is 1 to 64 of a-z 0-9 . _ -, beginning with a letter or digit.");
    const auto cls = agent_class_named(request.text("class"));
    if (!cls) return fail(problem::invalid_input, "The class is personal, consumer, workforce or digital-worker.");
    made.cls = *cls;
    const auto owner = owner_name::parse(request.text("owner"));
    if (!owner) return fail(problem::invalid_input, "The owner is a person's handle, or team:NAME.");
    made.owner = *owner;
    made.purpose = request.text("purpose");
    if (made.purpose.size() > longest_purpose) return fail(problem::invalid_input, "The purpose is longer than 1000 bytes.");
    std::string scopes;
    for (const std::string& text : request.texts("scopes")) scopes += text + " ";
    const auto config = all.standings.current()->config;
    const auto given = identity::parse_scopes(scopes);
    if (!given) return fail(problem::invalid_input, "An agent has at most " + std::to_string(identity::most_scopes) + " scopes.");
    for (const identity::scope& s : *given) {
        if (!config->find_route(s.route))
            return fail(problem::invalid_input, "There is no route " + s.route + " for the scope " + s.text() + ".");
        made.scopes.push_back(s.text());
    }
    if (made.scopes.empty()) return fail(problem::invalid_input, "An agent needs a scope.");
    auto key = key_of(request.text("key"));
    if (!key) return key.error();
    made.keys.push_back(std::move(*key));
    return made;
}

admin_answer one(const agent& a) { return boost::json::object{{"agent", identity::agent_json(a)}}; }

admin_answer changed(services& all, const result<agent>& done)
{
    if (!done) return done.error();
    if (const auto read = all.directory.refresh(); !read) return read.error();
    return one(*done);
}

admin_answer add(services& all, const admin_request& request)
{
    if (const auto known = request.only({"name", "class", "owner", "purpose", "scopes", "key"}); !known) return known.error();
    auto made = agent_of(all, request);
    if (!made) return made.error();
    const auto done = all.db.run_blocking([made = *made, random = random10()](storage::transaction& tx) mutable -> result<agent> {
        made.created_at = tx.now();
        made.id = agent_id::make(made.created_at, random);
        if (const auto added = storage::agent_store::add(tx, made); !added) return added.error();
        auto entry = admin_entry(tx, "agent.add", {{"name", made.name}, {"owner", made.owner.text()}, {"key", made.keys.front().kid}});
        entry.agent = made.id;
        storage::audit_store::append(tx, entry);
        return made;
    });
    if (done) log::info("agent added", {{"agent", done->name}, {"owner", done->owner.text()}});
    return changed(all, done);
}

admin_answer set_status(services& all, const std::string& name, const std::string& verb)
{
    const agent_status to = verb == "suspend" ? agent_status::suspended : verb == "resume" ? agent_status::active : agent_status::revoked;
    const auto directory = all.standings.current()->directory;
    std::vector<hold> ended;
    const auto done = all.db.run_blocking([&](storage::transaction& tx) -> result<agent> {
        ended.clear();
        const auto read = storage::agent_store::by_name(tx, name);
        if (!read) return fail(problem::not_found, "There is no agent " + name + ".");
        auto set = storage::agent_store::set_status(tx, read->id, to);
        if (!set) return set.error();
        if (to != agent_status::active) ended = release::void_all_of(tx, read->id, "the agent was " + std::string(name_of(to)), *directory);
        auto entry = admin_entry(tx, "agent." + verb, {{"name", name}});
        entry.agent = read->id;
        storage::audit_store::append(tx, entry);
        return set;
    });
    if (done) release::tell_closed(all.metrics, ended);
    if (done) log::info("agent status set", {{"agent", name}, {"status", name_of(to)}});
    return changed(all, done);
}

admin_answer rotate(services& all, const admin_request& request)
{
    if (const auto known = request.only({"key", "overlap"}); !known) return known.error();
    const std::string& name = request.path[1];
    auto key = key_of(request.text("key"));
    if (!key) return key.error();
    std::optional<duration> overlap;
    if (const auto text = request.text("overlap"); !text.empty()) {
        overlap = parse_duration(text);
        if (!overlap) return fail(problem::invalid_input, "The overlap is a duration, as 24h.");
    }
    const auto done = all.db.run_blocking([&](storage::transaction& tx) -> result<agent> {
        const auto read = storage::agent_store::by_name(tx, name);
        if (!read) return fail(problem::not_found, "There is no agent " + name + ".");
        const auto until = overlap ? std::optional(tx.now() + *overlap) : std::nullopt;
        auto replaced = storage::agent_store::replace_keys(tx, read->id, *key, until);
        if (!replaced) return replaced.error();
        auto entry = admin_entry(tx, "agent.rotate", {{"name", name}, {"key", key->kid}});
        entry.agent = read->id;
        storage::audit_store::append(tx, entry);
        return replaced;
    });
    return changed(all, done);
}

}  // namespace

std::optional<admin_answer> admin_agents(services& all, const admin_request& request)
{
    if (request.path.empty() || request.path[0] != "agents") return std::nullopt;
    if (request.is("POST", {"agents"})) return add(all, request);
    if (request.is("GET", {"agents"})) {
        const auto found = all.db.run_blocking([](storage::transaction& tx) { return storage::agent_store::list(tx); });
        if (!found) return found.error();
        boost::json::array agents;
        for (const agent& a : *found) agents.push_back(identity::agent_json(a));
        return boost::json::object{{"agents", std::move(agents)}};
    }
    if (request.is("GET", {"agents", "*"})) {
        const auto found =
            all.db.run_blocking([&](storage::transaction& tx) { return storage::agent_store::by_name(tx, request.path[1]); });
        if (!found) return found.error();
        if (!*found) return fail(problem::not_found, "There is no agent " + request.path[1] + ".");
        return one(**found);
    }
    if (request.is("POST", {"agents", "*", "rotate"})) return rotate(all, request);
    for (const char* verb : {"suspend", "resume", "revoke"})
        if (request.is("POST", {"agents", "*", verb})) return set_status(all, request.path[1], verb);
    return fail(problem::not_found);
}

}  // namespace sallyport::serve
