#include "notifiers/webhook.hpp"

#include <boost/json/parse.hpp>
#include <doctest/doctest.h>
#include <httplib.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <string>
#include <thread>
#include <utility>

using namespace sallyport;
using namespace sallyport::notifiers;
using namespace std::chrono_literals;

namespace {

// A server that misbehaves as it is told.
class listener {
public:
    explicit listener(httplib::Server::Handler answer)
    {
        server_.Post("/hook", std::move(answer));
        port_ = server_.bind_to_any_port("127.0.0.1");
        thread_ = std::thread([this] { server_.listen_after_bind(); });
        while (!server_.is_running()) std::this_thread::yield();
    }
    ~listener()
    {
        server_.stop();
        thread_.join();
    }
    std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/hook"; }

private:
    httplib::Server server_;
    int port_ = 0;
    std::thread thread_;
};

notice some_notice()
{
    notice n;
    n.key = "hld_1/ops/2";
    n.told_at = time_point(1'614'265'330'000'000us);
    n.reasons = {{"refunds-over-500", "Refund 900 EUR to \"c_17\""}};
    n.agent = "refund-bot";
    n.owner = "ada";
    n.method = "POST";
    n.target = "/v1/refunds";
    n.created_at = time_point(1'800'000'000'000'000us);
    n.expires_at = n.created_at + 10min;
    n.link = "https://gate.example/holds/hld_1";
    return n;
}

webhook_options options(std::string url)
{
    webhook_options o;
    o.url = std::move(url);
    o.signing_secret = [] { return result<secret>(secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")); };
    o.timeout = 2s;
    return o;
}

}  // namespace

// The specification's own example (standard-webhooks: "Signature scheme").
TEST_CASE("signatures are those of the Standard Webhooks specification")
{
    const secret key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    CHECK(webhook_signature(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", R"({"test": 2432232314})") ==
          "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    CHECK(webhook_signature(secret("plain"), "a", "1", "b"));
    CHECK_FALSE(webhook_signature(secret("whsec_not base64"), "a", "1", "b"));
    CHECK_FALSE(webhook_signature(secret("whsec_"), "a", "1", "b"));
}

TEST_CASE("the body says what the hold is, the same each time")
{
    const auto body = webhook_body(some_notice());
    CHECK(body == webhook_body(some_notice()));
    const auto read = boost::json::parse(body).as_object();
    CHECK(read.at("type") == "hold.asked");
    CHECK(read.at("timestamp") == "2027-01-15T08:00:00.000Z");
    const auto& data = read.at("data").as_object();
    CHECK(data.at("reasons").at(0).at("summary") == "Refund 900 EUR to \"c_17\"");
    CHECK(data.at("closed_at").is_null());
    CHECK(data.at("link") == "https://gate.example/holds/hld_1");
}

TEST_CASE("what an answer means")
{
    struct row {
        int status;
        const char* retry;
        bool delivered;
        not_delivered::kind kind;
        std::optional<duration> not_before;
    };
    const row rows[] = {
        {200, "", true, {}, {}},
        {204, "", true, {}, {}},
        {302, "", false, not_delivered::kind::later, {}},
        {400, "", false, not_delivered::kind::later, {}},
        {410, "", false, not_delivered::kind::address, {}},
        {429, "7", false, not_delivered::kind::later, duration(7s)},
        {503, "99999999", false, not_delivered::kind::later, duration(1h)},
        {503, "Wed, 21 Oct 2015 07:28:00 GMT", false, not_delivered::kind::later, {}},
        {500, "", false, not_delivered::kind::later, {}},
    };
    for (const row& r : rows) {
        CAPTURE(r.status);
        httplib::Request got;
        const listener at([&](const httplib::Request& request, httplib::Response& response) {
            got = request;
            response.status = r.status;
            if (*r.retry) response.set_header("Retry-After", r.retry);
            if (r.status == 302) response.set_header("Location", "/elsewhere");
        });
        webhook hook(options(at.url()));
        const auto done = hook.deliver(some_notice());
        REQUIRE(std::holds_alternative<delivered>(done) == r.delivered);
        CHECK(got.get_header_value("webhook-id") == "hld_1/ops/2");
        CHECK(got.get_header_value("webhook-timestamp") == "1614265330");
        CHECK(got.get_header_value("webhook-signature") ==
              webhook_signature(*options("").signing_secret(), "hld_1/ops/2", "1614265330", webhook_body(some_notice())));
        CHECK(got.body == webhook_body(some_notice()));
        if (r.delivered) continue;
        const auto& no = std::get<not_delivered>(done);
        CHECK(no.what == r.kind);
        CHECK(no.not_before == r.not_before);
        CHECK(no.why == "answered " + std::to_string(r.status));
    }
}

TEST_CASE("who is not there, says nothing or never ends does not hold it up")
{
    SUBCASE("nobody listens")
    {
        webhook hook(options("http://127.0.0.1:1/hook"));
        const auto done = hook.deliver(some_notice());
        REQUIRE(std::holds_alternative<not_delivered>(done));
        CHECK(std::get<not_delivered>(done).what == not_delivered::kind::later);
    }
    SUBCASE("an answer of no end is an answer")
    {
        const listener at([](const httplib::Request&, httplib::Response& response) {
            response.set_content_provider(std::size_t{1} << 40, "text/plain", [](std::size_t, std::size_t, httplib::DataSink& sink) {
                const std::string much(1 << 16, 'x');
                return sink.write(much.data(), much.size());
            });
        });
        webhook hook(options(at.url()));
        CHECK(std::holds_alternative<delivered>(hook.deliver(some_notice())));
    }
    SUBCASE("a secret that cannot be read is said, and not sent")
    {
        auto o = options("http://127.0.0.1:1/hook");
        o.signing_secret = [] { return result<secret>(fail(problem::invalid_input, "the variable OPS is not set")); };
        webhook hook(std::move(o));
        CHECK(std::get<not_delivered>(hook.deliver(some_notice())).why == "its secret cannot be read: the variable OPS is not set");
    }
}

TEST_CASE("it is cut when the gateway stops")
{
    std::promise<void> asked, over;
    const listener at([&, waits = over.get_future().share()](const httplib::Request&, httplib::Response&) {
        asked.set_value();
        waits.wait();
    });
    auto o = options(at.url());
    o.timeout = 60s;
    webhook hook(std::move(o));
    auto done = std::async(std::launch::async, [&] { return hook.deliver(some_notice()); });
    asked.get_future().wait();
    hook.cut();
    const auto first = done.get();
    over.set_value();
    REQUIRE(std::holds_alternative<not_delivered>(first));
    CHECK(std::get<not_delivered>(first).what == not_delivered::kind::later);
    CHECK(std::get<not_delivered>(hook.deliver(some_notice())).why == "the gateway stops.");
}
