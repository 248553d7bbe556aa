// Which browsers people may switch on, and whose they are.
#include "gateway/identity/push_subscription.hpp"

#include "gateway/jose/jwt.hpp"
#include "storage/push_store.hpp"
#include "storage/session_store.hpp"
#include "tests/gateway/people/scene.hpp"
#include "workflows/encoding.hpp"

#include <string>
#include <string_view>

namespace sallyport::people {
namespace {

using namespace testing;

constexpr std::string_view point = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";

std::string subscription(std::string_view endpoint, std::string_view auth = "BTBZMqHH6r4Tts7J_aSIgg", std::string_view p256dh = point)
{
    return boost::json::serialize(
        boost::json::object{{"endpoint", endpoint}, {"expirationTime", nullptr}, {"keys", {{"p256dh", p256dh}, {"auth", auth}}}});
}

struct push_scene : scene {
    push_scene() { config->public_url = "https://gate.example", config->public_host = "gate.example"; }
    reply on(const std::string& handle, std::string body)
    {
        return ask(&switch_push_on, handle, {{"me", "push"}, std::move(body), {}, "session of " + handle});
    }
    reply off(const std::string& handle, const std::string& id) { return ask(&switch_push_off, handle, {{"me", "push", id}, "", {}}); }
    boost::json::array browsers(const std::string& handle)
    {
        return boost::json::parse(ask(&show_my_push, handle, {{"me", "push"}, "", {}}).body).at("browsers").as_array();
    }
};

}  // namespace

TEST_CASE("a browser is switched on, listed without its address, and switched off")
{
    push_scene s;
    const std::string endpoint = "https://push.example/send/capability";
    CHECK(s.on("ada", subscription(endpoint)).status == 201);
    CHECK(s.on("ada", subscription(endpoint)).status == 201);  // a page says so each time
    const auto all = s.browsers("ada");
    REQUIRE(all.size() == 1);
    CHECK(all[0].at("service").as_string() == "push.example");
    CHECK(all[0].at("id").as_string() == identity::push_subscription_id(endpoint));
    CHECK(boost::json::serialize(all).find("capability") == std::string::npos);
    CHECK(s.browsers("grace").empty());
    const std::string id(all[0].at("id").as_string());

    const auto stored = s.in([&](storage::transaction& tx) { return storage::push_store::find(tx, id).value(); });
    CHECK(stored.sealed.find("capability") == std::string::npos);
    CHECK(identity::open_push_target(s.ring, id, stored.sealed)->endpoint.reveal() == endpoint);
    CHECK_FALSE(identity::open_push_target(s.ring, "another", stored.sealed).has_value());

    CHECK(s.off("grace", id).status == 404);
    CHECK(s.off("ada", id).status == 204);
    CHECK(s.off("ada", id).status == 404);
}

TEST_CASE("what is no subscription of a push service on the internet is refused")
{
    push_scene s;
    struct row {
        const char* name;
        std::string body;
    };
    const row rows[] = {
        {"without TLS", subscription("http://push.example/x")},
        {"this machine", subscription("https://127.0.0.1:9464/metrics")},
        {"this machine, without TLS", subscription("http://localhost:8081/")},
        {"another port", subscription("https://push.example:5432/x")},
        {"user information", subscription("https://push.example@evil.example/")},
        {"another scheme", subscription("file:///etc/passwd")},
        {"no point", subscription("https://push.example/x", "BTBZMqHH6r4Tts7J_aSIgg", "BCVx")},
        {"a short secret", subscription("https://push.example/x", "BTBZ")},
        {"padded base64", subscription("https://push.example/x", "BTBZMqHH6r4Tts7J_aSIgg==")},
        {"nothing", "{}"},
        {"a stranger's member", R"({"endpoint":"https://push.example/x","keys":{},"x":1})"},
        {"keys that are none", R"({"endpoint":"https://push.example/x","keys":[]})"},
        {"no JSON", "x"},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        CHECK(s.on("ada", r.body).status == 400);
    }
    CHECK(s.browsers("ada").empty());
}

TEST_CASE("a gateway on trial may speak to this machine")
{
    push_scene s;
    s.config->public_url = "http://localhost:8081";
    s.config->public_host = "localhost";
    CHECK(s.on("ada", subscription("http://127.0.0.1:9999/x")).status == 201);
    CHECK(s.on("ada", subscription("http://192.168.1.1:9999/x")).status == 400);
}

TEST_CASE("who signs in there next has the browser; who has learnt its address has not")
{
    push_scene s;
    const std::string endpoint = "https://push.example/send/1";
    CHECK(s.on("ada", subscription(endpoint)).status == 201);
    CHECK(s.on("grace", subscription(endpoint, "AAAAAAAAAAAAAAAAAAAAAA")).status == 403);
    CHECK(s.browsers("ada").size() == 1);
    CHECK(s.on("grace", subscription(endpoint)).status == 201);
    CHECK(s.browsers("ada").empty());
    CHECK(s.browsers("grace").size() == 1);
}

TEST_CASE("nobody has more than ten, and a session that is ended takes its own along")
{
    push_scene s;
    for (int i = 0; i < 10; ++i) CHECK(s.on("ada", subscription("https://push.example/" + std::to_string(i))).status == 201);
    CHECK(s.on("ada", subscription("https://push.example/10")).status == 403);
    CHECK(s.on("ada", subscription("https://push.example/9")).status == 201);
    CHECK(s.on("grace", subscription("https://push.example/10")).status == 201);
    CHECK(s.ask(&logout, "ada", {{"logout"}, "", {}, "session of ada"}).status == 204);
    CHECK(s.browsers("ada").empty());
    CHECK(s.browsers("grace").size() == 1);
}

TEST_CASE("what is said to push services is a token of RFC 8292")
{
    const auto key = jose::private_key::generate(jose::key_type::p256).value();
    const time_point now(1'800'000'000s);
    const auto said = identity::push_authorization(key, "https://push.example", "https://gate.example", now);
    REQUIRE(said.starts_with("vapid t="));
    const auto token = jose::jwt::parse(said.substr(8, said.find(',') - 8));
    REQUIRE(token.has_value());
    CHECK(token->signed_by(key.public_half()));
    CHECK(token->has_audience("https://push.example"));
    CHECK(token->text_claim("sub") == "https://gate.example");
    CHECK(token->time_claim("exp").value() > now);
    CHECK(token->time_claim("exp").value() <= now + 24h);
    const auto k = said.substr(said.find("k=") + 2);
    CHECK(k == identity::push_public_key(key));
    CHECK(read_base64url(k)->size() == 65);
    const auto trial = identity::push_authorization(key, "http://127.0.0.1:1", "http://localhost:8081", now);
    CHECK(jose::jwt::parse(trial.substr(8, trial.find(',') - 8))->text_claim("sub") == "mailto:sallyport@localhost");
}

}  // namespace sallyport::people
