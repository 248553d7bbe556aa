#include "storage/slack_store.hpp"

#include "storage/sql.hpp"

namespace sallyport::storage::slack_store {
namespace {

// Whichever of its two constraints is in the way.
const statement insert_slack_identity{"insert_slack_identity", R"(
    INSERT INTO slack_identities (team, slack_user, person, created_at) VALUES ($1, $2, $3, statement_timestamp()) ON CONFLICT DO NOTHING)"};
const statement find_slack_identity{
    "find_slack_identity", "SELECT team, slack_user, person, created_at FROM slack_identities WHERE team = $1 AND slack_user = $2"};
const statement slack_identity_of_person{"slack_identity_of_person",
                                         "SELECT team, slack_user, person, created_at FROM slack_identities WHERE person = $1"};
const statement remove_slack_identity{"remove_slack_identity", "DELETE FROM slack_identities WHERE person = $1"};

slack_identity identity_of(reader& r)
{
    slack_identity i;
    i.team = r.text();
    i.user = r.text();
    i.person = r.id<person_id>();
    i.created_at = r.time();
    return i;
}

}  // namespace

result<void> connect(transaction& tx, const slack_identity& i)
{
    if (change(tx, insert_slack_identity, i.team, i.user, i.person) == 0)
        return fail(problem::conflict, "That Slack account, or this person, is connected already.");
    return {};
}

std::optional<slack_identity> find(transaction& tx, std::string_view team, std::string_view user)
{
    return first_row(run(tx, find_slack_identity, team, user), identity_of);
}

std::optional<slack_identity> of_person(transaction& tx, person_id person)
{
    return first_row(run(tx, slack_identity_of_person, person), identity_of);
}

bool disconnect(transaction& tx, person_id person) { return change(tx, remove_slack_identity, person) == 1; }

}  // namespace sallyport::storage::slack_store
