// How people are told besides the inbox: what waits, what could not be delivered, and trying that again.
#include "gateway/canonical/jcs.hpp"
#include "gateway/config/channel_names.hpp"
#include "gateway/people/request.hpp"
#include "gateway/people/resources.hpp"
#include "gateway/people/views.hpp"
#include "storage/audit_store.hpp"
#include "storage/outbox_store.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <charconv>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace sallyport::people {
namespace {

constexpr std::size_t most_dead_letters = 200;

bool reads_all(const person& who) { return who.has(role::auditor) || who.has(role::operator_); }

boost::json::object dead_letter_json(const storage::outbox_entry& e, const directory& people)
{
    const person* who = e.person ? people.find(*e.person) : nullptr;
    return {{"id", std::to_string(e.id)},
            {"channel", e.channel},
            {"tells", name_of(e.what)},
            {"hold", e.hold ? boost::json::value(e.hold->text()) : boost::json::value(nullptr)},
            {"person", who ? boost::json::value(person_json(*who)) : boost::json::value(nullptr)},
            {"attempts", e.attempts},
            {"why", e.last_error},
            {"created_at", format_rfc3339(e.created_at)}};
}

}  // namespace

result<reply> list_channels(storage::transaction& tx, const call& c)
{
    if (const auto known = check_query(c.query, {}); !known) return known.error();
    auto counts = storage::outbox_store::counts(tx);
    const auto names = config::channel_names(c.config());
    for (const std::string& name : names) counts[name];  // also those for which nothing waits
    boost::json::array channels;
    const auto time_or_null = [](const std::optional<time_point>& at) {
        return at ? boost::json::value(format_rfc3339(*at)) : boost::json::value(nullptr);
    };
    const bool all = reads_all(*c.person);
    for (const auto& [name, of] : counts) {
        // One that is named no more, and for which nothing is left, was once.
        if (!names.contains(name) && of.pending == 0 && of.dead == 0) continue;
        channels.push_back(boost::json::object{
            {"name", name},
            {"configured", names.contains(name)},
            {"pending", of.pending},
            {"dead", of.dead},
            {"oldest", time_or_null(of.oldest)},
            {"failing_since", time_or_null(of.failing_since)},
            {"why", all && of.failing_since ? boost::json::value(of.last_error) : boost::json::value(nullptr)},
            {"last_sent_at", time_or_null(of.last_sent_at)},
        });
    }
    return json_reply(200, {{"channels", std::move(channels)}, {"next", nullptr}});
}

result<reply> list_dead_letters(storage::transaction& tx, const call& c)
{
    if (const auto known = check_query(c.query, {}); !known) return known.error();
    boost::json::array letters;
    // They name holds and people: those who may read everything see them.
    if (reads_all(*c.person))
        for (const auto& e : storage::outbox_store::dead_letters(tx, most_dead_letters))
            letters.push_back(dead_letter_json(e, c.directory()));
    return json_reply(200, {{"dead_letters", std::move(letters)}, {"next", nullptr}});
}

result<reply> resend_dead_letter(storage::transaction& tx, const call& c)
{
    if (const auto known = check_query(c.query, {}); !known) return known.error();
    if (!c.person->has(role::operator_)) return fail(problem::not_eligible, "Only operators send a message again.");
    const std::string& text = c.path[1];
    std::int64_t id = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), id);
    const bool number = read.ec == std::errc() && read.ptr == text.data() + text.size();
    if (!number || storage::outbox_store::revive(tx, id) == storage::race::lost)
        return fail(problem::not_found, "There is no such dead letter.");
    storage::audit_entry entry;
    entry.at = tx.now();
    entry.kind = "admin";
    entry.person = c.person->id;
    entry.data = jcs(boost::json::object{{"act", "message resend"}, {"message", id}});
    storage::audit_store::append(tx, entry);
    return json_reply(202, {{"id", text}});
}

}  // namespace sallyport::people
