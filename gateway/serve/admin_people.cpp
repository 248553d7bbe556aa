#include "gateway/canonical/sha256.hpp"
#include "gateway/identity/records_json.hpp"
#include "gateway/jose/random.hpp"
#include "gateway/log/log.hpp"
#include "gateway/release/hold_moves.hpp"
#include "gateway/release/releaser.hpp"
#include "gateway/serve/admin_request.hpp"
#include "storage/person_store.hpp"

#include <boost/json/array.hpp>

#include <algorithm>
#include <map>
#include <vector>

namespace sallyport::serve {
namespace {

constexpr std::size_t longest_text = 200;
constexpr std::size_t code_bytes = 24;

bool is_one_line(const std::string& text)
{
    return text.size() <= longest_text &&
           std::none_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

// Enough to catch a slip; whether mail arrives is known when it does.
bool looks_like_address(const std::string& text)
{
    const auto at = text.find('@');
    return is_one_line(text) && at != 0 && at != std::string::npos && at + 1 < text.size() && text.find('@', at + 1) == std::string::npos &&
           text.find_first_of(" <>,;\"") == std::string::npos;
}

result<void> refresh(services& all) { return all.directory.refresh(); }

admin_answer invite(services& all, const admin_request& request)
{
    if (const auto known = request.only({"handle", "name", "email", "role", "reset"}); !known) return known.error();
    storage::invitation i;
    i.handle = request.text("handle");
    i.name = request.text("name");
    i.email = request.text("email");
    i.reset = request.flag("reset");
    if (!valid_name(i.handle))
        return fail(problem::invalid_input, "A handle is 1 to 64 of a-z 0-9 . _ -, beginning with a letter or digit.");
    if (!is_one_line(i.name)) return fail(problem::invalid_input, "A name is one line of at most 200 bytes.");
    if (!i.email.empty() && !looks_like_address(i.email)) return fail(problem::invalid_input, "That is no e-mail address.");
    if (const auto text = request.text("role"); !text.empty()) {
        const auto role = role_named(text);
        if (!role) return fail(problem::invalid_input, "The role is approver, operator or auditor.");
        i.roles = {*role};
    }
    const std::string code = random_text(code_bytes);
    i.code_hash = std::string(sha256(code).view());
    const auto config = all.standings.current()->config;

    struct done {
        person who;
        time_point expires_at;
    };
    const auto invited = all.db.run_blocking([&, random = random10()](storage::transaction& tx) -> result<done> {
        const auto known = storage::person_store::by_handle(tx, i.handle);
        if (!known && (i.name.empty() || i.email.empty())) return fail(problem::invalid_input, "A new person needs --name and --email.");
        const time_point now = tx.now();
        i.id = person_id::make(now, random);
        i.expires_at = now + config->limits.enrolment;
        auto made = storage::person_store::invite(tx, i);
        if (!made) return made.error();
        auto entry = admin_entry(tx, "person.invite", {{"handle", i.handle}, {"known", made->known}, {"reset", i.reset}});
        entry.person = made->person.id;
        storage::audit_store::append(tx, entry);
        return done{std::move(made->person), i.expires_at};
    });
    if (!invited) return invited.error();
    if (const auto read = refresh(all); !read) return read.error();
    log::info("person invited", {{"person", i.handle}});
    return boost::json::object{{"person", identity::person_json(invited->who)},
                               {"link", config->public_url + "/enrol/" + code},
                               {"expires_at", format_rfc3339(invited->expires_at)}};
}

admin_answer set_status(services& all, const std::string& handle, const std::string& verb)
{
    std::vector<hold> ended;
    const auto done = all.db.run_blocking([&](storage::transaction& tx) -> result<person> {
        ended.clear();
        auto set = storage::person_store::set_status(tx, handle, verb == "disable" ? person_status::disabled : person_status::active);
        if (!set) return set.error();
        auto entry = admin_entry(tx, "person." + verb, {{"handle", handle}});
        entry.person = set->id;
        storage::audit_store::append(tx, entry);
        if (verb == "disable") ended = release::void_orphans(tx);
        return set;
    });
    if (!done) return done.error();
    release::tell_closed(all.metrics, ended);
    if (const auto read = refresh(all); !read) return read.error();
    log::info("person status set", {{"person", handle}, {"status", name_of(done->status)}});
    return boost::json::object{{"person", identity::person_json(*done)}};
}

bool is_label(const std::string& key) { return valid_name(key); }

// Records an act about a person and gives them as they are then.
template <class Change>
admin_answer change_person(services& all, std::string_view act, const boost::json::object& data, Change change)
{
    const auto done = all.db.run_blocking([&](storage::transaction& tx) -> result<person> {
        auto changed = change(tx);
        if (!changed) return changed.error();
        auto entry = admin_entry(tx, act, data);
        entry.person = changed->id;
        storage::audit_store::append(tx, entry);
        return changed;
    });
    if (!done) return done.error();
    if (const auto read = refresh(all); !read) return read.error();
    log::info("person changed", {{"person", done->handle}, {"act", act}});
    return boost::json::object{{"person", identity::person_json(*done)}};
}

admin_answer label(services& all, const admin_request& request)
{
    if (const auto known = request.only({"set", "remove"}); !known) return known.error();
    const std::string& handle = request.path[1];
    const auto remove = request.texts("remove");
    std::map<std::string, std::string> set;
    boost::json::object said;
    const json::value* given = request.body ? request.body->root().find("set") : nullptr;
    for (std::size_t i = 0; given && i < given->size(); ++i) {
        const std::string key(given->key(i)), text(given->at(i).string());
        if (!is_label(key))
            return fail(problem::invalid_input,
                        "A label is KEY=VALUE; the key is 1 to 64 of a-z 0-9 . _ -, beginning with a letter or digit.");
        if (!given->at(i).is(json::kind::string) || !is_one_line(text))
            return fail(problem::invalid_input, "A label's value is one line of at most 200 bytes.");
        set[key] = text;
        said[key] = text;
    }
    for (const std::string& key : remove) {
        if (!is_label(key) || set.contains(key)) return fail(problem::invalid_input, "A label is either set or removed, by its key.");
        said[key] = nullptr;
    }
    if (said.empty()) return fail(problem::invalid_input, "Give KEY=VALUE, or --remove KEY.");
    return change_person(all, "person.label", {{"handle", handle}, {"labels", said}},
                         [&](storage::transaction& tx) { return storage::person_store::set_labels(tx, handle, set, remove); });
}

admin_answer absent(services& all, const admin_request& request)
{
    if (const auto known = request.only({"from", "until", "deputy"}); !known) return known.error();
    const std::string& handle = request.path[1];
    sallyport::absence away;
    const auto until = parse_rfc3339(request.text("until"));
    const auto from = parse_rfc3339(request.text("from"));
    if (!until || (!from && !request.text("from").empty()))
        return fail(problem::invalid_input, "--from and --until are times such as 2026-01-05T09:00:00Z.");
    away.until = *until;
    away.deputy = request.text("deputy");
    return change_person(all, "person.absent",
                         {{"handle", handle},
                          {"from", from ? boost::json::value(format_rfc3339(*from)) : boost::json::value(nullptr)},
                          {"until", format_rfc3339(*until)},
                          {"deputy", away.deputy.empty() ? boost::json::value(nullptr) : boost::json::value(away.deputy)}},
                         [&](storage::transaction& tx) {
                             away.from = from.value_or(tx.now());
                             return storage::person_store::set_absence(tx, handle, away);
                         });
}

admin_answer back(services& all, const std::string& handle)
{
    return change_person(all, "person.back", {{"handle", handle}},
                         [&](storage::transaction& tx) { return storage::person_store::end_absence(tx, handle); });
}

boost::json::object team_json(const storage::team& t)
{
    boost::json::array members;
    for (const std::string& m : t.members) members.emplace_back(m);
    return {{"name", t.name}, {"members", std::move(members)}};
}

// Changes a team and gives it as it is then.
template <class Change>
admin_answer change_team(services& all, const std::string& name, std::string_view act, const boost::json::object& data, Change change)
{
    std::vector<hold> ended;
    const auto done = all.db.run_blocking([&](storage::transaction& tx) -> result<storage::team> {
        if (const auto changed = change(tx); !changed) return changed.error();
        storage::audit_store::append(tx, admin_entry(tx, act, data));
        ended = release::void_orphans(tx);
        return storage::person_store::team_named(tx, name).value_or(storage::team{name, {}});
    });
    if (!done) return done.error();
    release::tell_closed(all.metrics, ended);
    if (const auto read = refresh(all); !read) return read.error();
    return boost::json::object{{"team", team_json(*done)}};
}

admin_answer list_people(services& all)
{
    const auto found = all.db.run_blocking([](storage::transaction& tx) { return storage::person_store::list(tx); });
    if (!found) return found.error();
    boost::json::array people;
    for (const person& p : *found) people.push_back(identity::person_json(p));
    return boost::json::object{{"people", std::move(people)}};
}

std::optional<admin_answer> teams(services& all, const admin_request& request)
{
    if (request.is("GET", {"teams"})) {
        const auto found = all.db.run_blocking([](storage::transaction& tx) { return storage::person_store::teams(tx); });
        if (!found) return found.error();
        boost::json::array list;
        for (const storage::team& t : *found) list.push_back(team_json(t));
        return boost::json::object{{"teams", std::move(list)}};
    }
    if (request.is("POST", {"teams"})) {
        if (const auto known = request.only({"name"}); !known) return known.error();
        const std::string name = request.text("name");
        if (!valid_name(name))
            return fail(problem::invalid_input, "A team's name is 1 to 64 of a-z 0-9 . _ -, beginning with a letter or digit.");
        return change_team(all, name, "team.add", {{"name", name}},
                           [&](storage::transaction& tx) { return storage::person_store::add_team(tx, name); });
    }
    if (request.is("DELETE", {"teams", "*"})) {
        const std::string& name = request.path[1];
        return change_team(all, name, "team.remove", {{"name", name}},
                           [&](storage::transaction& tx) { return storage::person_store::remove_team(tx, name); });
    }
    if (request.is("POST", {"teams", "*", "members"})) {
        if (const auto known = request.only({"handle"}); !known) return known.error();
        const std::string& name = request.path[1];
        const std::string handle = request.text("handle");
        return change_team(all, name, "team.join", {{"name", name}, {"handle", handle}},
                           [&](storage::transaction& tx) { return storage::person_store::join_team(tx, name, handle); });
    }
    if (request.is("DELETE", {"teams", "*", "members", "*"})) {
        const std::string &name = request.path[1], &handle = request.path[3];
        return change_team(all, name, "team.leave", {{"name", name}, {"handle", handle}},
                           [&](storage::transaction& tx) { return storage::person_store::leave_team(tx, name, handle); });
    }
    return fail(problem::not_found);
}

}  // namespace

std::optional<admin_answer> admin_people(services& all, const admin_request& request)
{
    if (request.path.empty()) return std::nullopt;
    if (request.path[0] == "teams") return teams(all, request);
    if (request.path[0] != "people") return std::nullopt;
    if (request.is("GET", {"people"})) return list_people(all);
    if (request.is("POST", {"people"})) return invite(all, request);
    for (const char* verb : {"disable", "enable"})
        if (request.is("POST", {"people", "*", verb})) return set_status(all, request.path[1], verb);
    if (request.is("POST", {"people", "*", "label"})) return label(all, request);
    if (request.is("POST", {"people", "*", "absent"})) return absent(all, request);
    if (request.is("POST", {"people", "*", "back"})) return back(all, request.path[1]);
    return fail(problem::not_found);
}

}  // namespace sallyport::serve
