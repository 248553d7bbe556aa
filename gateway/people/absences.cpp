// Being away: whom nobody tells, and who decides in their place. One's own; operators do it for others by the command line.
#include "gateway/canonical/sha256.hpp"
#include "gateway/people/request.hpp"
#include "gateway/people/resources.hpp"
#include "gateway/people/sessions.hpp"
#include "gateway/people/views.hpp"
#include "storage/directory_store.hpp"
#include "storage/person_store.hpp"
#include "storage/session_store.hpp"

#include <boost/json/object.hpp>

#include <optional>
#include <string>

namespace sallyport::people {
namespace {

constexpr auto longest_absence = std::chrono::days(366);

result<std::optional<time_point>> read_time(const message& m, std::string_view name)
{
    const auto text = m.text(name);
    if (!text) return text.error();
    if (!*text) return std::optional<time_point>();
    const auto at = parse_rfc3339(**text);
    if (!at) return fail(problem::malformed_request, "\"" + std::string(name) + "\" is a time such as 2026-01-05T09:00:00Z.");
    return at;
}

result<reply> away_now(storage::transaction& tx, const result<person>& who)
{
    if (!who) {
        // What was asked for cannot be, rather than what was asked.
        if (who.error().what == problem::invalid_input) return fail(problem::malformed_request, who.error().detail);
        return who.error();
    }
    reply r = json_reply(200, {{"person", person_json(*who)}});
    r.directory_generation = storage::directory_store::current_generation(tx);
    return r;
}

}  // namespace

result<reply> put_absence(storage::transaction& tx, const call& c)
{
    const auto given = message::read(c.body, {"from", "until", "deputy"});
    if (!given) return given.error();
    const auto from = read_time(*given, "from"), until = read_time(*given, "until");
    if (!from) return from.error();
    if (!until) return until.error();
    const auto deputy = given->text("deputy");
    if (!deputy) return deputy.error();
    if (!*until) return fail(problem::malformed_request, "\"until\" is missing.");
    absence away;
    away.from = from->value_or(tx.now());
    away.until = **until;
    away.deputy = deputy->value_or("");
    if (away.until > tx.now() + longest_absence) return fail(problem::malformed_request, "An absence ends within a year.");
    // Who decides in somebody's place decides as if by their passkey: so much stands behind naming them, and behind taking them away.
    const bool names_deputy = !away.deputy.empty() || (c.person->away && !c.person->away->deputy.empty());
    const auto session = storage::session_store::find(tx, sha256(c.session).view());
    if (names_deputy && (!session || session->made_by != storage::session_by::passkey))
        return fail(problem::not_permitted, "Sign in by your passkey to name a deputy, or another.");
    const auto done = storage::person_store::set_absence(tx, c.person->handle, away);
    if (done)
        record_act(tx, *c.person, "person.absent",
                   {{"handle", c.person->handle},
                    {"from", format_rfc3339(away.from)},
                    {"until", format_rfc3339(away.until)},
                    {"deputy", away.deputy.empty() ? boost::json::value(nullptr) : boost::json::value(away.deputy)}});
    return away_now(tx, done);
}

result<reply> delete_absence(storage::transaction& tx, const call& c)
{
    const auto done = storage::person_store::end_absence(tx, c.person->handle);
    if (done) record_act(tx, *c.person, "person.back", {{"handle", c.person->handle}});
    return away_now(tx, done);
}

}  // namespace sallyport::people
