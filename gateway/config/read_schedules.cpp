// schedules: who is on call, and when people work.
#include "gateway/config/draft.hpp"
#include "gateway/policy/zone_file.hpp"
#include "workflows/agent.hpp"

#include <charconv>
#include <chrono>

namespace sallyport::config {
namespace {

// `2026-01-05T09:00`, with seconds where they matter: what a clock on the wall of that zone shows.
std::optional<std::chrono::local_seconds> local_time(std::string_view text) noexcept
{
    using namespace std::chrono;
    if (text.size() != 16 && text.size() != 19) return std::nullopt;
    constexpr std::string_view form = "0000-00-00T00:00:00";
    for (std::size_t i = 0; i < text.size(); ++i)
        if (form[i] == '0' ? text[i] < '0' || text[i] > '9' : text[i] != form[i]) return std::nullopt;
    const auto number = [&](std::size_t from, std::size_t count) {
        int n = 0;
        std::from_chars(text.data() + from, text.data() + from + count, n);
        return n;
    };
    const year_month_day date{year{number(0, 4)}, month{static_cast<unsigned>(number(5, 2))}, day{static_cast<unsigned>(number(8, 2))}};
    const int h = number(11, 2), m = number(14, 2), s = text.size() == 19 ? number(17, 2) : 0;
    if (!date.ok() || h > 23 || m > 59 || s > 59) return std::nullopt;
    return local_days{date} + hours{h} + minutes{m} + seconds{s};
}

bool read_local_time(draft& d, const section& s, std::string_view key, std::chrono::local_seconds& to)
{
    const auto at = s.need(key);
    if (!at) return false;
    const auto text = d.read.text(*at, "`" + std::string(key) + "`");
    if (!text) return false;
    const auto time = local_time(*text);
    if (!time)
        d.read.error(*at, "`" + std::string(key) + "` must be a local time such as 2026-01-05T09:00, not `" + shown(*text) + "`");
    else
        to = *time;
    return time.has_value();
}

// Nobody's shift can be worked out in a zone that cannot be read.
void read_zone(draft& d, const section& s, std::shared_ptr<const time_zone>& to)
{
    const auto at = s.need("time_zone");
    std::string name;
    if (!at || !s.take(name, "time_zone", &reading::text)) return;
    if (name == "UTC") return;
    if (auto zone = policy::find_zone(name))
        to = std::move(zone);
    else
        d.read.error(*at, "`time_zone` must be a name such as Europe/Berlin or UTC; `" + shown(name) + "` is not known");
}

void read_rotation(draft& d, const value& v, schedule& to)
{
    constexpr std::string_view keys[] = {"people", "every", "from"};
    const section s(d.read, v, "`rotation`", keys);
    if (!s) return;
    if (const auto at = s.need("people")) {
        const auto items = d.read.list(*at, "`people`");
        if (items && items->empty()) d.read.error(*at, "`people` must name somebody");
        if (items)
            for (const auto& item : *items)
                if (auto handle = d.read.name(item, "`people`")) to.people.push_back(*std::move(handle));
    }
    if (const auto at = s.need("every");
        at && s.take(to.every, "every", &reading::duration) && to.every % std::chrono::minutes(1) != duration{0})
        d.read.error(*at, "`every` must be whole minutes");
    read_local_time(d, s, "from", to.from);
}

void read_override(draft& d, const value& v, schedule& to)
{
    constexpr std::string_view keys[] = {"person", "from", "until"};
    const section s(d.read, v, "an override", keys);
    if (!s) return;
    schedule::override_ one;
    s.need("person");
    s.take(one.person, "person", &reading::name);
    const bool from = read_local_time(d, s, "from", one.from), until = read_local_time(d, s, "until", one.until);
    if (from && until && one.until <= one.from) d.read.error(*s.find("until"), "`until` must be after `from`");
    to.overrides.push_back(std::move(one));
}

// `09:00`, and as an end `24:00`: minutes after midnight.
std::optional<std::chrono::minutes> time_of_day(std::string_view text) noexcept
{
    constexpr std::string_view form = "00:00";
    if (text.size() != form.size()) return std::nullopt;
    for (std::size_t i = 0; i < text.size(); ++i)
        if (form[i] == '0' ? text[i] < '0' || text[i] > '9' : text[i] != form[i]) return std::nullopt;
    const int h = (text[0] - '0') * 10 + (text[1] - '0'), m = (text[3] - '0') * 10 + (text[4] - '0');
    if (m > 59 || h > 24 || (h == 24 && m > 0)) return std::nullopt;
    return std::chrono::hours(h) + std::chrono::minutes(m);
}

bool read_time_of_day(draft& d, const section& s, std::string_view key, std::chrono::minutes& to)
{
    const auto at = s.need(key);
    const auto text = at ? d.read.text(*at, "`" + std::string(key) + "`") : std::nullopt;
    if (!text) return false;
    const auto time = time_of_day(*text);
    if (!time)
        d.read.error(*at, "`" + std::string(key) + "` must be a time of day such as \"09:00\", not `" + shown(*text) + "`");
    else
        to = *time;
    return time.has_value();
}

void read_range(draft& d, const value& v, working_hours& to)
{
    constexpr std::string_view keys[] = {"days", "from", "until"};
    constexpr reading::choice_of<unsigned> week[] = {{"mon", 1}, {"tue", 2}, {"wed", 3}, {"thu", 4}, {"fri", 5}, {"sat", 6}, {"sun", 0}};
    const section s(d.read, v, "hours", keys);
    if (!s) return;
    working_hours::range range;
    if (const auto at = s.need("days"))
        if (const auto items = d.read.list(*at, "`days`", true)) {
            if (items->empty()) d.read.error(*at, "`days` must name a day");
            for (const auto& item : *items) {
                const auto day = d.read.choice(item, "`days`", week);
                if (!day) continue;
                if (range.days.at(*day)) d.read.error(item, "this day is in the list twice");
                range.days.at(*day) = true;
            }
        }
    const bool from = read_time_of_day(d, s, "from", range.from), until = read_time_of_day(d, s, "until", range.until);
    if (from && until && range.until <= range.from)
        d.read.error(*s.find("until"),
                     "`until` must be after `from`: hours over midnight are two ranges, one until 24:00 and one from 00:00");
    to.ranges.push_back(range);
}

void read_hours(draft& d, const value& v, working_hours& to)
{
    const auto items = d.read.list(v, "`hours`");
    if (!items) return;
    const auto before = d.read.errors.size();
    for (const auto& item : *items) read_range(d, item, to);
    // At any time: the ranges come again each week.
    constexpr time_point some_monday{std::chrono::sys_days{std::chrono::year{2026} / 1 / 5}};
    if (d.read.errors.size() == before && !to.opens(some_monday))
        d.read.error(v, "these hours never come: a step within them would never begin");
}

void read_schedule(draft& d, const entry& e)
{
    constexpr std::string_view keys[] = {"time_zone", "rotation", "overrides", "hours"};
    if (!valid_name(e.key)) {
        d.read.error_at_key(e, "a schedule's name must be 1 to 64 of a-z 0-9 . _ - and begin with a letter or digit, not `" + shown(e.key) +
                                   "`");
        return;
    }
    const std::string name(e.key);
    const bool is_new = d.add(d.schedules, "schedule", name, e.value);
    const section s(d.read, e.value, "schedule `" + name + "`", keys);
    if (!s) return;
    if (const auto hours = s.find_entry("hours")) {
        for (const char* other : {"rotation", "overrides"})
            if (const auto at = s.find_entry(other))
                d.read.error_at_key(*at, "a schedule has either `hours`, in which people work, or a `rotation` of people who are on call");
        working_hours office;
        office.name = name;
        read_zone(d, s, office.zone);
        read_hours(d, hours->value, office);
        if (is_new) d.config.arranged.hours.emplace(name, std::move(office));
        return;
    }
    schedule sched;
    sched.name = name;
    read_zone(d, s, sched.zone);
    if (const auto at = s.need("rotation")) read_rotation(d, *at, sched);
    if (const auto at = s.find("overrides"))
        if (const auto items = d.read.list(*at, "`overrides`"))
            for (const auto& item : *items) read_override(d, item, sched);
    if (is_new) d.config.arranged.on_call.emplace(name, std::move(sched));
}

}  // namespace

void read_schedules(draft& d, const value& v)
{
    const auto entries = d.read.members(v, "`schedules`");
    if (!entries) return;
    for (const auto& e : *entries) read_schedule(d, e);
}

}  // namespace sallyport::config
