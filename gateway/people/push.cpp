// Browsers in which somebody is told (Push API): switched on in that browser, by whoever is signed in there. The address that a
// browser hands in is a URL of a stranger's choosing: what may be spoken to is said in notifiers/web_push.hpp.
#include "gateway/canonical/sha256.hpp"
#include "gateway/identity/push_subscription.hpp"
#include "gateway/people/request.hpp"
#include "gateway/people/resources.hpp"
#include "gateway/people/sessions.hpp"
#include "notifiers/push_message.hpp"
#include "notifiers/web_push.hpp"
#include "storage/push_store.hpp"
#include "workflows/encoding.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <string>
#include <utility>

namespace sallyport::people {
namespace {

constexpr std::size_t most_browsers = 10;  // of one person

boost::json::object browser_json(const storage::push_subscription& s)
{
    return {{"id", s.id},
            {"service", s.service},
            {"user_agent", s.user_agent.empty() ? boost::json::value(nullptr) : boost::json::value(s.user_agent)},
            {"created_at", format_rfc3339(s.created_at)}};
}

failure malformed(std::string detail) { return fail(problem::malformed_request, std::move(detail)); }

// As PushSubscription.toJSON() writes it. `expirationTime` is a hint that no service keeps to: it says 410 in its time.
result<notifiers::push_target> read_subscription(const call& c)
{
    const auto read = message::read(c.body, {"endpoint", "expirationTime", "keys"});
    if (!read) return read.error();
    const auto endpoint = read->text("endpoint");
    if (!endpoint) return endpoint.error();
    const json::value* keys = read->find("keys");
    if (!*endpoint || !keys || !keys->is(json::kind::object)) return malformed("endpoint and keys are needed.");
    const auto member = [keys](std::string_view name) {
        const json::value* v = keys->find(name);
        return read_base64url(v ? v->string() : std::string_view());
    };
    const auto p256dh = member("p256dh"), auth = member("auth");
    if (!p256dh || !auth) return malformed("keys.p256dh and keys.auth must be base64url.");
    notifiers::push_target to{identity::push_subscription_id(**endpoint), secret(**endpoint), {*p256dh, *auth}};
    if (const auto good = notifiers::check_push_keys(to.keys); !good) return malformed(good.error().detail);
    return to;
}

// The browser itself, which alone knows its keys, and not somebody who has learnt the address.
bool same_browser(const call& c, const storage::push_subscription& known, const notifiers::push_target& given)
{
    const auto before = identity::open_push_target(c.around->keys, known.id, known.sealed);
    return before && before->keys.auth == given.keys.auth && before->keys.p256dh == given.keys.p256dh;
}

}  // namespace

result<reply> show_my_push(storage::transaction& tx, const call& c)
{
    if (const auto known = check_query(c.query, {}); !known) return known.error();
    boost::json::array browsers;
    for (const auto& s : storage::push_store::list(tx, c.person->id)) browsers.push_back(browser_json(s));
    return json_reply(200, {{"key", c.around->push_key}, {"browsers", std::move(browsers)}});
}

result<reply> switch_push_on(storage::transaction& tx, const call& c)
{
    const auto to = read_subscription(c);
    if (!to) return to.error();
    const auto origin = notifiers::push_origin(to->endpoint.reveal(), identity::push_by_loopback(c.config().public_host));
    if (!origin) return malformed(origin.error().detail);
    const auto known = storage::push_store::find(tx, to->id);
    if (known && known->person != c.person->id && !same_browser(c, *known, *to))
        return fail(problem::not_permitted, "This browser is somebody else's.");
    storage::push_subscription s;
    s.id = to->id;
    s.person = c.person->id;
    s.service = origin->substr(origin->find("//") + 2);
    s.sealed = identity::seal_push_target(c.around->keys, *to);
    s.user_agent = c.user_agent;
    s.session_hash = std::string(sha256(c.session).view());
    if (storage::push_store::put(tx, s, most_browsers) == storage::race::lost)
        return fail(problem::not_permitted, "You are told in ten browsers already: end one of them first.");
    // A page says so each time that it opens: only what is new is recorded.
    if (!known || known->person != c.person->id) record_act(tx, *c.person, "push.on", {{"browser", s.id}, {"service", s.service}});
    return json_reply(201, {{"browser", browser_json(storage::push_store::find(tx, s.id).value())}});
}

result<reply> switch_push_off(storage::transaction& tx, const call& c)
{
    if (!storage::push_store::remove(tx, c.person->id, c.path[2])) return fail(problem::not_found, "There is no such browser of yours.");
    record_act(tx, *c.person, "push.off", {{"browser", c.path[2]}});
    reply r;
    r.status = 204;
    r.media_type.clear();
    return r;
}

}  // namespace sallyport::people
