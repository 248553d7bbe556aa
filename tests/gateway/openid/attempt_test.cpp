#include "gateway/openid/attempt.hpp"

#include "tests/gateway/openid/keys.hpp"

#include <doctest/doctest.h>

#include <set>
#include <string>

namespace sallyport::openid {
namespace {

using namespace std::chrono_literals;

const time_point now{std::chrono::seconds(1'800'000'000)};

config::oidc_sign_in settings()
{
    config::oidc_sign_in s;
    s.issuer = "https://id.example/";
    s.client_id = "gate & co";
    return s;
}

}  // namespace

TEST_CASE("an attempt comes back as it went, for ten minutes, and only sealed by us")
{
    const keyring keys = testing::some_keyring(), others = testing::some_keyring();
    const auto begun = begin_attempt(settings(), "/history?q=\"x\"", now);
    const auto sealed = seal(begun, keys);
    for (const auto& hidden : {begun.state, begun.nonce, begun.verifier}) CHECK(sealed.find(hidden) == std::string::npos);

    const auto back = open_attempt(sealed, keys, now + attempt_life - 1us);
    REQUIRE(back.has_value());
    CHECK(back->issuer == "https://id.example/");
    CHECK(back->client_id == "gate & co");
    CHECK(back->state == begun.state);
    CHECK(back->nonce == begun.nonce);
    CHECK(back->verifier == begun.verifier);
    CHECK(back->next == "/history?q=\"x\"");
    CHECK(back->expires_at == now + attempt_life);

    const auto why = [&](std::string_view text, const keyring& by, time_point at) { return open_attempt(text, by, at).error().what; };
    CHECK(why(sealed, keys, now + attempt_life) == problem::expired);
    CHECK(why(sealed, others, now) == problem::expired);
    CHECK(why("", keys, now) == problem::expired);
    CHECK(why("?", keys, now) == problem::expired);
    CHECK(why(std::string(longest_sealed + 1, 'A'), keys, now) == problem::expired);
    for (std::size_t at = 0; at < sealed.size(); at += 7) {
        auto changed = sealed;
        changed[at] = changed[at] == 'A' ? 'B' : 'A';
        CHECK(why(changed, keys, now) == problem::expired);
    }
}

TEST_CASE("nothing of an attempt is ever the same")
{
    std::set<std::string> seen;
    for (int i = 0; i < 20; ++i) {
        const auto a = begin_attempt(settings(), "/", now);
        CHECK(a.verifier.size() == 43);
        for (const auto& value : {a.state, a.nonce, a.verifier}) CHECK(seen.insert(value).second);
    }
}

TEST_CASE("the way to the provider")
{
    auto a = begin_attempt(settings(), "/", now);
    a.state = "s&t";
    a.nonce = "n=1";
    a.verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";  // RFC 7636, appendix B
    const std::string rest =
        "response_type=code&client_id=gate%20%26%20co&redirect_uri=http%3A%2F%2Flocalhost%3A8081%2Flogin%2Foidc%2Fcallback"
        "&scope=openid%20email%20profile&state=s%26t&nonce=n%3D1&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
        "&code_challenge_method=S256";
    const std::string_view back = "http://localhost:8081/login/oidc/callback";
    CHECK(authorization_url("https://id.example/auth", a, settings(), back) == "https://id.example/auth?" + rest);
    CHECK(authorization_url("https://id.example/auth?tenant=a%20b", a, settings(), back) == "https://id.example/auth?tenant=a%20b&" + rest);
    CHECK(authorization_url("https://id.example/auth?", a, settings(), back) == "https://id.example/auth?" + rest);
}

TEST_CASE("where to go next: nowhere but here")
{
    struct row {
        const char* name;
        std::string asked;
        const char* leads_to;
    };
    const row rows[] = {
        {"the inbox", "/", "/"},
        {"a page with a query", "/history?agent=a%20b&q=\"<", "/history?agent=a%20b&q=\"<"},
        {"nothing", "", "/"},
        {"another origin", "https://evil.example/", "/"},
        {"another host", "//evil.example/", "/"},
        {"another host, by a backslash", "/\\evil.example", "/"},
        {"a backslash later", "/x\\..\\..", "/"},
        {"a tab, which browsers drop", "/\t/evil.example", "/"},
        {"a line end", "/x\r\nSet-Cookie: a=b", "/"},
        {"a space", "/x y", "/"},
        {"a script", "javascript:alert(1)", "/"},
        {"other letters", "/\xC3\xA9", "/"},
        {"signing in again", "/login?next=/login", "/"},
        {"too long", "/" + std::string(600, 'x'), "/"},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        CHECK(local_path(r.asked) == r.leads_to);
    }
}

}  // namespace sallyport::openid
