// What deciding costs people: one's own load for oneself, everybody's for operators and auditors.
#include "gateway/people/request.hpp"
#include "gateway/people/resources.hpp"
#include "gateway/people/views.hpp"
#include "storage/load_store.hpp"
#include "storage/person_store.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <charconv>
#include <vector>

namespace sallyport::people {
namespace {

constexpr int usual_days = 7;
constexpr int most_days = 90;
constexpr std::size_t usual_page = 50;
constexpr std::size_t largest_page = 100;

result<int> read_days(const call& c)
{
    const auto text = find(c.query, "days");
    if (!text) return usual_days;
    int days = 0;
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), days);
    if (error != std::errc{} || end != text->data() + text->size() || days < 1 || days > most_days)
        return fail(problem::malformed_request, "\"days\" is a whole number from 1 to 90.");
    return days;
}

bool reads_all(const person& who) { return who.has(role::operator_) || who.has(role::auditor); }

boost::json::value seconds(const std::optional<duration>& of)
{
    if (!of) return nullptr;
    return std::chrono::duration<double>(*of).count();
}

boost::json::object load_json(const call& c, const person& who, const storage::person_load& l, int days)
{
    const auto cap = c.config().limits.asks_per_hour;
    return {
        {"person", person_json(who)},
        {"days", days},
        {"asked", l.asked},
        {"asked_within_hour", l.asked_within_hour},
        {"asks_per_hour", cap == 0 ? boost::json::value(nullptr) : boost::json::value(cap)},
        {"passed_over", l.passed_over},
        {"decided", l.approved + l.denied},
        {"approved", l.approved},
        {"denied", l.denied},
        {"timed", l.timed},
        {"fast", l.fast},
        {"seconds_to_decide", {{"median", seconds(l.median)}, {"p90", seconds(l.slowest_tenth)}}},
    };
}

}  // namespace

result<reply> show_load(storage::transaction& tx, const call& c)
{
    if (const auto known = check_query(c.query, {"days"}); !known) return known.error();
    const auto days = read_days(c);
    if (!days) return days.error();
    const auto id = person_id::parse(c.path[1]);
    const auto who = id ? storage::person_store::by_id(tx, *id) : storage::person_store::by_handle(tx, c.path[1]);
    const bool own = who && who->id == c.person->id;
    if (!own && !reads_all(*c.person)) return fail(problem::not_permitted, "Only operators and auditors see the load of others.");
    if (!who) return fail(problem::not_found, "There is no such person.");
    const auto all = storage::load_store::loads(tx, {&who->id, 1}, *days);
    boost::json::array by_day;
    for (const auto& d : storage::load_store::by_day(tx, who->id, *days))
        by_day.push_back(boost::json::object{{"day", d.day}, {"asked", d.asked}, {"decided", d.decided}});
    boost::json::object load = load_json(c, *who, all.front(), *days);
    load["by_day"] = std::move(by_day);
    return json_reply(200, {{"load", std::move(load)}});
}

result<reply> list_loads(storage::transaction& tx, const call& c)
{
    if (const auto known = check_query(c.query, {"days", "cursor", "limit"}); !known) return known.error();
    const auto days = read_days(c);
    if (!days) return days.error();
    const auto limit = read_limit(c.query, usual_page, largest_page);
    if (!limit) return limit.error();
    if (!reads_all(*c.person)) return fail(problem::not_permitted, "Only operators and auditors see the load of others.");
    // By handle; the cursor is the last one before.
    const std::string_view after = find(c.query, "cursor").value_or("");
    std::vector<person> page;
    std::vector<person_id> ids;
    boost::json::value next;
    for (person& p : storage::person_store::list(tx)) {
        if (p.handle <= after) continue;
        if (page.size() == *limit) {
            next = boost::json::value(page.back().handle);
            break;
        }
        ids.push_back(p.id);
        page.push_back(std::move(p));
    }
    const auto all = storage::load_store::loads(tx, ids, *days);
    boost::json::array loads;
    for (std::size_t i = 0; i < page.size(); ++i) loads.push_back(load_json(c, page[i], all.at(i), *days));
    return json_reply(200, {{"loads", std::move(loads)}, {"next", std::move(next)}});
}

}  // namespace sallyport::people
