#include "gateway/identity/hold_json.hpp"
#include "gateway/identity/records_json.hpp"
#include "gateway/log/log.hpp"
#include "gateway/release/hold_moves.hpp"
#include "gateway/serve/admin_request.hpp"
#include "storage/credential_store.hpp"
#include "storage/hold_store.hpp"

#include <boost/json/array.hpp>

#include <algorithm>

namespace sallyport::serve {
namespace {

constexpr std::size_t longest_reason = 2000;

boost::json::object credential_json(const storage::credential_info& c)
{
    return {
        {"name", c.name}, {"type", c.type}, {"header", c.header.empty() ? std::string_view("authorization") : std::string_view(c.header)}};
}

admin_answer put_credential(services& all, const admin_request& request)
{
    if (const auto known = request.only({"name", "type", "header", "secret"}); !known) return known.error();
    const std::string name = request.text("name");
    if (!valid_name(name))
        return fail(problem::invalid_input, "A credential's name is 1 to 64 of a-z 0-9 . _ -, beginning with a letter or digit.");
    const secret text(request.text("secret"));
    const auto made = identity::make_credential(request.text("type"), request.text("header"), text.reveal());
    if (!made) return made.error();
    storage::sealed_credential sealed;
    sealed.info.name = name;
    sealed.info.type = request.text("type");
    sealed.info.header = request.text("header").empty() ? std::string() : made->header;
    sealed.sealed = all.keys.seal(text.reveal(), "credential:" + name);
    const auto done = all.db.run_blocking([&](storage::transaction& tx) {
        storage::credential_store::put(tx, sealed);
        storage::audit_store::append(tx, admin_entry(tx, "credential.put", {{"name", name}, {"type", sealed.info.type}}));
    });
    if (!done) return done.error();
    if (const auto read = all.directory.refresh(); !read) return read.error();
    return boost::json::object{{"credential", credential_json(sealed.info)}};
}

admin_answer remove_credential(services& all, const std::string& name)
{
    const auto done = all.db.run_blocking([&](storage::transaction& tx) -> result<void> {
        if (const auto removed = storage::credential_store::remove(tx, name); !removed) return removed.error();
        storage::audit_store::append(tx, admin_entry(tx, "credential.remove", {{"name", name}}));
        return {};
    });
    if (!done) return done.error();
    if (const auto read = all.directory.refresh(); !read) return read.error();
    return boost::json::object{};
}

boost::json::object hold_json(const services& all, const storage::stored_hold& h)
{
    auto object = identity::agent_view(h.hold);
    const auto standing = all.standings.current();
    const agent* who = standing->directory->find(h.hold.agent);
    object["agent"] = who ? boost::json::value(identity::agent_json(*who)) : boost::json::value(nullptr);
    object["route"] = h.hold.route;
    object["policy"] = h.action.policy;
    object["request"] = boost::json::object{
        {"method", h.action.method},
        {"authority", h.action.authority},
        {"target", h.action.target},
        {"content_digest", h.action.content_digest.empty() ? boost::json::value(nullptr) : boost::json::value(h.action.content_digest)}};
    return object;
}

admin_answer list_holds(services& all, const admin_request& request)
{
    storage::hold_query ask;
    ask.limit = 100;
    auto status = words_of<hold_status>(request.given("status"), &hold_status_named, "hold status");
    if (!status) return status.error();
    ask.status = std::move(*status);
    if (const auto cursor = request.given("cursor"); !cursor.empty()) ask.cursor = storage::hold_cursor::parse(cursor);
    const auto found = all.db.run_blocking([&](storage::transaction& tx) { return storage::hold_store::list(tx, ask); });
    if (!found) return found.error();
    boost::json::array holds;
    for (const auto& h : *found) holds.push_back(hold_json(all, h));
    boost::json::value next;
    if (found->size() == ask.limit) next = storage::hold_cursor::after(found->back()).text();
    return boost::json::object{{"holds", std::move(holds)}, {"next", std::move(next)}};
}

result<hold_id> hold_of(const admin_request& request)
{
    const auto id = hold_id::parse(request.path[1]);
    if (!id) return fail(problem::no_hold, "There is no hold " + request.path[1] + ".");
    return *id;
}

admin_answer show_hold(services& all, const admin_request& request)
{
    const auto id = hold_of(request);
    if (!id) return id.error();
    const auto found = all.db.run_blocking([&](storage::transaction& tx) { return storage::hold_store::get(tx, *id); });
    if (!found) return found.error();
    if (!*found) return fail(problem::no_hold, "There is no hold " + request.path[1] + ".");
    return boost::json::object{{"hold", hold_json(all, **found)}};
}

admin_answer deny_hold(services& all, const admin_request& request)
{
    if (const auto known = request.only({"reason"}); !known) return known.error();
    const auto id = hold_of(request);
    if (!id) return id.error();
    const std::string reason = request.text("reason");
    if (reason.size() > longest_reason) return fail(problem::invalid_input, "The reason is longer than 2000 bytes.");
    const auto directory = all.standings.current()->directory;
    const auto done = all.db.run_blocking([&](storage::transaction& tx) -> result<storage::stored_hold> {
        auto moved = release::apply(tx, *id, happened::denied_by_operator{reason}, *directory);
        if (!moved) return moved.error();
        // Its time may have been over: then that is what happened, and it is recorded as such.
        if (moved->hold.hold.status != hold_status::denied) return std::move(moved->hold);
        auto entry = admin_entry(tx, "hold.deny", {{"reason", reason}});
        entry.hold = *id;
        entry.action = moved->hold.hold.action;
        entry.agent = moved->hold.hold.agent;
        storage::audit_store::append(tx, entry);
        return std::move(moved->hold);
    });
    if (!done) return done.error();
    if (done->hold.status != hold_status::denied) return fail(problem::hold_closed, "The hold has expired.");
    release::count_closed(all.metrics, done->hold);
    log::info("hold closed", {{"hold", id->text()}, {"action", done->hold.action.text()}, {"status", name_of(done->hold.status)}});
    return boost::json::object{{"hold", hold_json(all, *done)}};
}

}  // namespace

std::optional<admin_answer> admin_credentials(services& all, const admin_request& request)
{
    if (request.path.empty() || request.path[0] != "credentials") return std::nullopt;
    if (request.is("POST", {"credentials"})) return put_credential(all, request);
    if (request.is("DELETE", {"credentials", "*"})) return remove_credential(all, request.path[1]);
    if (!request.is("GET", {"credentials"})) return fail(problem::not_found);
    const auto found = all.db.run_blocking([](storage::transaction& tx) { return storage::credential_store::list(tx); });
    if (!found) return found.error();
    boost::json::array credentials;
    for (const auto& c : *found) credentials.push_back(credential_json(c));
    return boost::json::object{{"credentials", std::move(credentials)}};
}

std::optional<admin_answer> admin_holds(services& all, const admin_request& request)
{
    if (request.path.empty() || request.path[0] != "holds") return std::nullopt;
    if (request.is("GET", {"holds"})) return list_holds(all, request);
    if (request.is("GET", {"holds", "*"})) return show_hold(all, request);
    if (request.is("POST", {"holds", "*", "deny"})) return deny_hold(all, request);
    return fail(problem::not_found);
}

}  // namespace sallyport::serve
