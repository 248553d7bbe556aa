#include "gateway/canonical/action.hpp"

#include "gateway/canonical/jcs.hpp"
#include "gateway/canonical/sha256.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <doctest/doctest.h>

#include <vector>

using namespace sallyport;

namespace {

action refund()
{
    action a;
    a.method = "POST";
    a.authority = "api.payments.example";
    a.target = "/v1/refunds?x=\"1\"";
    a.headers = {{"content-type", "application/json"}, {"x-note", "\xc4 quoted \"note\""}};
    a.body = "{}";
    a.content_digest = "sha-256=:RBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o=:";
    return a;
}

/// As somebody outside would compute it, from what the people's API shows.
digest from_outside(const action& a)
{
    boost::json::array headers;
    for (const auto& [name, value] : a.headers) headers.push_back(boost::json::array{name, field_text(value)});
    boost::json::object o = {
        {"method", a.method}, {"authority", a.authority}, {"target", a.target}, {"headers", headers}, {"content_digest", nullptr}};
    if (a.content_digest) o["content_digest"] = *a.content_digest;
    return sha256(jcs(o));
}

}  // namespace

TEST_CASE("the action's digest is that of RFC 8785 of what is shown")
{
    action a = refund();
    CHECK(action_digest(a) == from_outside(a));
    a.content_digest.reset();
    a.headers.clear();
    CHECK(action_digest(a) == from_outside(a));
    CHECK(
        action_digest(a).hex() ==
        sha256(R"({"authority":"api.payments.example","content_digest":null,"headers":[],"method":"POST","target":"/v1/refunds?x=\"1\""})")
            .hex());
}

TEST_CASE("every part counts")
{
    const digest before = action_digest(refund());
    std::vector<action> changed(8, refund());
    changed[0].method = "PUT";
    changed[1].authority = "api.payments.example:8443";
    changed[2].target += "&";
    changed[3].headers[1].second = "\xc3\x84 quoted \"note\"";  // the same letter in UTF-8 is other bytes
    changed[4].headers.pop_back();
    std::swap(changed[5].headers[0], changed[5].headers[1]);
    changed[6].content_digest.reset();
    changed[7].headers[0].first = "content-typ";
    for (const action& a : changed) CHECK(action_digest(a) != before);
    action same = refund();
    same.route = "elsewhere";
    same.id = action_id::make(time_point{}, {});
    CHECK(action_digest(same) == before);
}

TEST_CASE("from views it is the same")
{
    const action a = refund();
    const std::vector<field> headers = {{a.headers[0].first, a.headers[0].second}, {a.headers[1].first, a.headers[1].second}};
    CHECK(action_digest(a.method, a.authority, a.target, headers, a.content_digest) == action_digest(a));
}

TEST_CASE("a field's value has one text for each of its bytes")
{
    CHECK(field_text("plain\t~") == "plain\t~");
    CHECK(field_text("\xc4") == "\xc3\x84");
    CHECK(field_text("\xc3\x84") == "\xc3\x83\xc2\x84");
    CHECK(field_text("\x80\xff") == "\xc2\x80\xc3\xbf");
}
