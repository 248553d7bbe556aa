#include "storage/load_store.hpp"

#include "storage/sql.hpp"

#include <algorithm>

namespace sallyport::storage::load_store {
namespace {

// In the order of their keys, so that two transactions with the same ones do not wait for each other.
const statement insert_asks{"insert_asks", R"(
    INSERT INTO asks AS a (hold, person, asked_at)
    SELECT hold, person, statement_timestamp() FROM unnest($1::text[], $2::text[]) AS given (hold, person) GROUP BY hold, person ORDER BY hold, person
    ON CONFLICT (hold, person) DO UPDATE SET asked_at = excluded.asked_at WHERE a.asked_at IS NULL)"};
const statement insert_passed{"insert_passed", R"(
    INSERT INTO asks AS a (hold, person, passed_at)
    SELECT hold, person, statement_timestamp() FROM unnest($1::text[], $2::text[]) AS given (hold, person) GROUP BY hold, person ORDER BY hold, person
    ON CONFLICT (hold, person) DO UPDATE SET passed_at = excluded.passed_at WHERE a.passed_at IS NULL)"};
const statement count_recent_asks{"count_recent_asks", R"(
    SELECT person, count(*) FROM asks WHERE asked_at > statement_timestamp() - interval '1 hour' GROUP BY person)"};

const statement insert_shown{"insert_shown", R"(
    INSERT INTO asks AS a (hold, person, shown_at)
    SELECT hold, $2, statement_timestamp() FROM unnest($1::text[]) AS given (hold) GROUP BY hold ORDER BY hold
    ON CONFLICT (hold, person) DO UPDATE SET shown_at = excluded.shown_at WHERE a.shown_at IS NULL)"};
const statement find_shown{"find_shown", R"(
    SELECT a.shown_at,
           (SELECT count(*) FROM asks AS b JOIN decisions AS d ON d.hold = b.hold AND d.person = b.person AND d.taken_back_at IS NULL
             WHERE b.person = a.person AND b.shown_at = a.shown_at AND b.hold <> a.hold)
      FROM asks AS a WHERE a.hold = $1 AND a.person = $2 AND a.shown_at IS NOT NULL)"};

#define SINCE " (date_trunc('day', statement_timestamp(), 'UTC') - make_interval(days => $2 - 1)) "

const statement read_loads{"read_loads", R"(
    SELECT p.id, asked.n, hour.n, passed.n, made.approved, made.denied, made.timed, made.fast, made.median, made.slow
      FROM unnest($1::text[]) WITH ORDINALITY AS p (id, place)
      CROSS JOIN LATERAL (SELECT count(*) AS n FROM asks AS a WHERE a.person = p.id AND a.asked_at >= )" SINCE R"() AS asked
      CROSS JOIN LATERAL (SELECT count(*) AS n FROM asks AS a
                           WHERE a.person = p.id AND a.asked_at > statement_timestamp() - interval '1 hour') AS hour
      CROSS JOIN LATERAL (SELECT count(*) AS n FROM asks AS a WHERE a.person = p.id AND a.passed_at >= )" SINCE R"() AS passed
      CROSS JOIN LATERAL (
          SELECT count(*) FILTER (WHERE d.kind = 'approve') AS approved, count(*) FILTER (WHERE d.kind = 'deny') AS denied,
                 count(d.fast) AS timed, count(*) FILTER (WHERE d.fast) AS fast,
                 (percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM d.at - a.asked_at)) * 1000000)::bigint AS median,
                 (percentile_cont(0.9) WITHIN GROUP (ORDER BY extract(epoch FROM d.at - a.asked_at)) * 1000000)::bigint AS slow
            FROM decisions AS d LEFT JOIN asks AS a ON a.hold = d.hold AND a.person = d.person AND a.asked_at <= d.at
           WHERE d.person = p.id AND d.taken_back_at IS NULL AND d.at >= )" SINCE R"() AS made
     ORDER BY p.place)"};

const statement read_days{"read_days", R"(
    SELECT to_char(day AT TIME ZONE 'UTC', 'YYYY-MM-DD'),
           (SELECT count(*) FROM asks AS a WHERE a.person = $1 AND a.asked_at >= day AND a.asked_at < day + interval '24 hours'),
           (SELECT count(*) FROM decisions AS d
             WHERE d.person = $1 AND d.taken_back_at IS NULL AND d.at >= day AND d.at < day + interval '24 hours')
      FROM generate_series()" SINCE R"(, statement_timestamp(), interval '24 hours') AS day ORDER BY day)"};

struct columns {
    array_literal hold, person;
    explicit columns(std::span<const asked_person> all)
    {
        for (const asked_person& one : all) {
            hold.add(one.hold);
            person.add(one.person);
        }
    }
};

std::optional<duration> maybe_duration(reader& r)
{
    const auto micros = r.maybe_number();
    if (!micros) return std::nullopt;
    return duration(*micros);
}

}  // namespace

void ask(transaction& tx, std::span<const asked_person> all)
{
    if (all.empty()) return;
    const columns given(all);
    run(tx, insert_asks, given.hold.text(), given.person.text());
}

void pass_over(transaction& tx, std::span<const asked_person> all)
{
    if (all.empty()) return;
    const columns given(all);
    run(tx, insert_passed, given.hold.text(), given.person.text());
}

std::map<person_id, int> asked_within_hour(transaction& tx)
{
    std::map<person_id, int> all;
    for (const pqxx::row& row : run(tx, count_recent_asks)) {
        reader r(row);
        const auto who = r.id<person_id>();
        all[who] = static_cast<int>(std::min<std::int64_t>(r.number(), 1'000'000'000));
    }
    return all;
}

void show(transaction& tx, person_id who, std::span<const hold_id> holds)
{
    if (!holds.empty()) run(tx, insert_shown, array_of(holds), who);
}

std::optional<showing> shown(transaction& tx, person_id who, hold_id of)
{
    return first_row(run(tx, find_shown, of, who), [](reader& r) {
        showing s;
        s.at = r.time();
        s.decided = r.number();
        return s;
    });
}

std::vector<person_load> loads(transaction& tx, std::span<const person_id> people, int days)
{
    if (people.empty()) return {};
    return all_rows(run(tx, read_loads, array_of(people), days), [](reader& r) {
        person_load l;
        l.person = r.id<person_id>();
        l.asked = r.number();
        l.asked_within_hour = r.number();
        l.passed_over = r.number();
        l.approved = r.number();
        l.denied = r.number();
        l.timed = r.number();
        l.fast = r.number();
        l.median = maybe_duration(r);
        l.slowest_tenth = maybe_duration(r);
        return l;
    });
}

std::vector<day_load> by_day(transaction& tx, person_id who, int days)
{
    return all_rows(run(tx, read_days, who, days), [](reader& r) {
        day_load d;
        d.day = r.text();
        d.asked = r.number();
        d.decided = r.number();
        return d;
    });
}

}  // namespace sallyport::storage::load_store
