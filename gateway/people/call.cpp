#include "gateway/people/call.hpp"

#include "gateway/identity/problem_document.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

namespace sallyport::people {

reply json_reply(int status, const boost::json::object& body)
{
    reply r;
    r.status = status;
    r.body = boost::json::serialize(body);
    return r;
}

reply problem_reply(const failure& why)
{
    reply r;
    r.status = facts(why.what).status;
    r.media_type = identity::problem_media_type;
    r.body = identity::problem_document(why);
    if (r.status == 503) r.headers.emplace_back("Retry-After", "1");
    // RFC 9110 §11.6.1 wants a challenge with every 401; no browser asks for a password on one that it does not know.
    if (r.status == 401) r.headers.emplace_back("WWW-Authenticate", "Passkey");
    return r;
}

}  // namespace sallyport::people
