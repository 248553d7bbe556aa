#include "storage/evidence_store.hpp"

#include "storage/sql.hpp"

namespace sallyport::storage::evidence_store {
namespace {

const statement insert_evidence{"insert_evidence", R"(
    INSERT INTO evidence (decision, statement, authenticator_data, client_data_json, signature, credential_id, public_key, channel, channel_evidence)
    VALUES ($1, $2, $3::bytea, $4::bytea, $5::bytea, $6::bytea, $7::bytea, $8, $9))"};
const statement insert_evidence_without_assertion{"insert_evidence_without_assertion", R"(
    INSERT INTO evidence (decision, statement, channel, channel_evidence) VALUES ($1, $2, $3, $4))"};
const statement find_evidence{"find_evidence", R"(
    SELECT decision, statement, authenticator_data, client_data_json, signature, credential_id, public_key, channel, channel_evidence
      FROM evidence WHERE decision = $1)"};

}  // namespace

void put(transaction& tx, const evidence& e)
{
    if (e.signature.empty())
        run(tx, insert_evidence_without_assertion, e.decision, e.statement, e.channel, e.channel_evidence);
    else
        run(tx, insert_evidence, e.decision, e.statement, as_bytes{e.authenticator_data}, as_bytes{e.client_data_json},
            as_bytes{e.signature}, as_bytes{e.credential_id}, as_bytes{e.public_key}, e.channel, e.channel_evidence);
}

std::optional<evidence> find(transaction& tx, decision_id decision)
{
    return first_row(run(tx, find_evidence, decision), [](reader& r) {
        evidence e;
        e.decision = r.id<decision_id>();
        e.statement = r.text();
        e.authenticator_data = r.bytes_or_empty();
        e.client_data_json = r.bytes_or_empty();
        e.signature = r.bytes_or_empty();
        e.credential_id = r.bytes_or_empty();
        e.public_key = r.bytes_or_empty();
        e.channel = r.text();
        e.channel_evidence = r.text();
        return e;
    });
}

}  // namespace sallyport::storage::evidence_store
