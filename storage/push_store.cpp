#include "storage/push_store.hpp"

#include "storage/sql.hpp"

namespace sallyport::storage::push_store {
namespace {

#define PUSH_COLUMNS "id, person, service, sealed, user_agent, session_hash, created_at"

// Two that are added at once must both count.
const statement lock_push_person{"lock_push_person", "SELECT id FROM people WHERE id = $1 FOR NO KEY UPDATE"};
const statement count_push_subscriptions{"count_push_subscriptions",
                                         "SELECT count(*) FROM push_subscriptions WHERE person = $1 AND id <> $2"};
const statement put_push_subscription{"put_push_subscription", R"(
    INSERT INTO push_subscriptions (id, person, service, sealed, user_agent, session_hash, created_at)
    VALUES ($1, $2, $3, $4, $5, $6, statement_timestamp())
    ON CONFLICT (id) DO UPDATE SET person = excluded.person, sealed = excluded.sealed, user_agent = excluded.user_agent,
                                   session_hash = excluded.session_hash)"};
const statement find_push_subscription{"find_push_subscription", "SELECT " PUSH_COLUMNS " FROM push_subscriptions WHERE id = $1"};
const statement list_push_subscriptions{"list_push_subscriptions",
                                        "SELECT " PUSH_COLUMNS " FROM push_subscriptions WHERE person = $1 ORDER BY created_at, id"};
const statement remove_push_subscription{"remove_push_subscription", "DELETE FROM push_subscriptions WHERE person = $1 AND id = $2"};

push_subscription subscription_of(reader& r)
{
    push_subscription s;
    s.id = r.text();
    s.person = r.id<person_id>();
    s.service = r.text();
    s.sealed = r.bytes();
    s.user_agent = r.text();
    s.session_hash = r.bytes();
    s.created_at = r.time();
    return s;
}

}  // namespace

race put(transaction& tx, const push_subscription& s, std::size_t most)
{
    run(tx, lock_push_person, s.person);
    const auto others = first_row(run(tx, count_push_subscriptions, s.person, s.id), [](reader& r) { return r.number(); });
    if (static_cast<std::size_t>(others.value()) >= most) return race::lost;
    run(tx, put_push_subscription, s.id, s.person, s.service, as_bytes{s.sealed}, s.user_agent, as_bytes{s.session_hash});
    return race::won;
}

std::optional<push_subscription> find(transaction& tx, std::string_view id)
{
    return first_row(run(tx, find_push_subscription, id), subscription_of);
}

std::vector<push_subscription> list(transaction& tx, person_id person)
{
    return all_rows(run(tx, list_push_subscriptions, person), subscription_of);
}

bool remove(transaction& tx, person_id person, std::string_view id) { return change(tx, remove_push_subscription, person, id) == 1; }

}  // namespace sallyport::storage::push_store
