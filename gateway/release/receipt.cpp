#include "gateway/release/receipt.hpp"

#include "gateway/canonical/content_digest.hpp"
#include "gateway/jose/http_signature.hpp"
#include "gateway/jose/jwt.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

namespace sallyport::release {

std::vector<std::pair<std::string, std::string>> signed_fields(const identity::signing_keys& keys, std::string_view issuer,
                                                               const config::route& route, const storage::stored_hold& held,
                                                               const action& sent)
{
    boost::json::array decisions;
    for (const decision& d : held.hold.decisions)
        if (d.kind == decision_kind::approve) decisions.emplace_back(d.id.text());
    const boost::json::object payload{
        {"iss", issuer},
        {"iat", std::chrono::floor<std::chrono::seconds>(held.now).time_since_epoch().count()},
        {"hold", held.hold.id.text()},
        {"action", {{"id", sent.id.text()}, {"digest", held.action.digest}}},
        {"agent", sent.agent.text()},
        {"policy", held.action.policy},
        {"decisions", std::move(decisions)},
    };
    const std::string receipt = jose::sign_compact(keys.receipt(), "sallyport-receipt+jwt", boost::json::serialize(payload));
    const std::string digest = sent.content_digest ? *sent.content_digest : std::string(content_digest_of_nothing());
    const std::string uri = std::string(scheme_of(route.upstream)) + "://" + sent.authority + sent.target;
    auto signature = jose::sign_request(keys.receipt(), held.now, sent.method, uri, digest, receipt);
    return {{"content-digest", digest},
            {"sallyport-receipt", receipt},
            {"signature-input", std::move(signature.input)},
            {"signature", std::move(signature.value)}};
}

}  // namespace sallyport::release
