#include "notifiers/web_push.hpp"

#include "notifiers/http_post.hpp"
#include "notifiers/public_address.hpp"
#include "tests/notifiers/example_notice.hpp"
#include "workflows/encoding.hpp"

#include <doctest/doctest.h>
#include <httplib.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include <atomic>
#include <chrono>
#include <cstring>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>

using namespace sallyport;
using namespace sallyport::notifiers;
using namespace std::chrono_literals;

namespace {

class push_service {
public:
    explicit push_service(httplib::Server::Handler answer)
    {
        server_.Post("/push/secret-part", std::move(answer));
        port_ = server_.bind_to_any_port("127.0.0.1");
        thread_ = std::thread([this] { server_.listen_after_bind(); });
        while (!server_.is_running()) std::this_thread::yield();
    }
    ~push_service()
    {
        server_.stop();
        thread_.join();
    }
    std::string endpoint(const std::string& host = "127.0.0.1") const
    {
        return "http://" + host + ":" + std::to_string(port_) + "/push/secret-part";
    }

private:
    httplib::Server server_;
    int port_ = 0;
    std::thread thread_;
};

notice to_browser(std::string endpoint)
{
    notice n = example_notice();
    const push_keys keys{read_base64url("BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4").value(),
                         read_base64url("BTBZMqHH6r4Tts7J_aSIgg").value()};
    n.browser = std::make_shared<const push_target>(push_target{"browser", secret(std::move(endpoint)), keys});
    n.told_at = n.expires_at - 90s;
    return n;
}

web_push_options options(bool loopback = true)
{
    web_push_options o;
    o.authorization = [](std::string_view origin, time_point) { return "vapid t=for " + std::string(origin) + ", k=key"; };
    o.loopback = loopback;
    o.timeout = 700ms;
    return o;
}

sockaddr_storage address(const char* text)
{
    sockaddr_storage all{};
    auto& v4 = reinterpret_cast<sockaddr_in&>(all);
    auto& v6 = reinterpret_cast<sockaddr_in6&>(all);
    if (inet_pton(AF_INET, text, &v4.sin_addr) == 1)
        all.ss_family = AF_INET;
    else if (inet_pton(AF_INET6, text, &v6.sin6_addr) == 1)
        all.ss_family = AF_INET6;
    return all;
}

}  // namespace

TEST_CASE("only addresses of the public internet are public")
{
    for (const char* good : {"8.8.8.8", "172.15.0.1", "172.32.0.1", "100.63.255.255", "100.128.0.1", "2606:4700::1111", "2a00:1450:4001::5",
                             "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1"}) {
        CAPTURE(good);
        const auto a = address(good);
        CHECK(is_public(reinterpret_cast<const sockaddr&>(a)));
    }
    for (const char* bad : {"0.0.0.0",
                            "10.1.2.3",
                            "127.0.0.1",
                            "127.9.9.9",
                            "169.254.169.254",
                            "172.16.0.1",
                            "172.31.255.255",
                            "192.168.1.1",
                            "100.64.0.1",
                            "198.18.0.1",
                            "224.0.0.1",
                            "255.255.255.255",
                            "::",
                            "::1",
                            "fe80::1",
                            "fc00::1",
                            "fd12::1",
                            "ff02::1",
                            "::ffff:127.0.0.1",
                            "::ffff:10.0.0.1",
                            "::127.0.0.1",
                            "64:ff9b::7f00:1",
                            "2002:7f00:1::1",
                            "2002:c0a8:101::1",
                            "2001::1",
                            "2001:db8::1",
                            "3fff::1"}) {
        CAPTURE(bad);
        const auto a = address(bad);
        REQUIRE(a.ss_family != AF_UNSPEC);
        CHECK_FALSE(is_public(reinterpret_cast<const sockaddr&>(a)));
    }
    sockaddr_storage other{};
    other.ss_family = AF_UNIX;
    CHECK_FALSE(is_public(reinterpret_cast<const sockaddr&>(other)));
}

TEST_CASE("an endpoint is an https address of some name")
{
    struct row {
        const char* endpoint;
        const char* origin;  // null: refused
        const char* on_trial;
    };
    const row rows[] = {
        {"https://fcm.googleapis.com/fcm/send/abc:def", "https://fcm.googleapis.com", "https://fcm.googleapis.com"},
        {"https://push.example:443/x?y=z", "https://push.example", "https://push.example"},
        {"https://push.example", "https://push.example", "https://push.example"},
        {"https://push.example:8443/x", nullptr, nullptr},
        {"https://localhost:8443/x", nullptr, "https://localhost:8443"},
        {"http://127.0.0.1:9/x", nullptr, "http://127.0.0.1:9"},
        {"http://push.example/x", nullptr, nullptr},
        {"http://127.evil.example:9/x", nullptr, nullptr},
        {"https://user@push.example/x", nullptr, nullptr},
        {"https://push.example:443@127.0.0.1/x", nullptr, nullptr},
        {"https://push.example\\@127.0.0.1/x", nullptr, nullptr},
        {"https://push.example/x#y", nullptr, nullptr},
        {"https://PUSH.example/x", nullptr, nullptr},  // browsers write it in lower case
        {"https:///x", nullptr, nullptr},
        {"https://[::1]/x", nullptr, nullptr},
        {"https://push.example:/x", nullptr, nullptr},
        {"https://push.example/a b", nullptr, nullptr},
        {"https://push.example/a\r\nX: y", nullptr, nullptr},
        {"file:///etc/passwd", nullptr, nullptr},
        {"gopher://127.0.0.1:25/x", nullptr, nullptr},
        {"", nullptr, nullptr},
    };
    for (const row& r : rows) {
        CAPTURE(r.endpoint);
        const auto strict = push_origin(r.endpoint, false), trial = push_origin(r.endpoint, true);
        CHECK(strict.has_value() == (r.origin != nullptr));
        CHECK(trial.has_value() == (r.on_trial != nullptr));
        if (strict && r.origin) CHECK(*strict == r.origin);
        if (trial && r.on_trial) CHECK(*trial == r.on_trial);
    }
    CHECK_FALSE(push_origin("https://push.example/" + std::string(2048, 'x'), false).has_value());
}

TEST_CASE("a message goes with what the service must know, and no more")
{
    httplib::Request seen;
    push_service service([&](const httplib::Request& asked, httplib::Response& answer) {
        seen = asked;
        answer.status = 201;
    });
    web_push push(options());
    notice n = to_browser(service.endpoint());
    CHECK(std::holds_alternative<delivered>(push.deliver(n)));
    CHECK(seen.get_header_value("Content-Encoding") == "aes128gcm");
    CHECK(seen.get_header_value("TTL") == "90");
    CHECK(seen.get_header_value("Urgency") == "high");
    CHECK(seen.get_header_value("Authorization").starts_with("vapid t=for http://127.0.0.1:"));
    const std::string topic = seen.get_header_value("Topic");
    CHECK(topic.size() == 32);
    CHECK(read_base64url(topic));
    CHECK(seen.body.find(n.agent) == std::string::npos);

    n.what = notice::kind::ended;
    n.status = hold_status::denied;
    n.key = "another";
    CHECK(std::holds_alternative<delivered>(push.deliver(n)));
    CHECK(seen.get_header_value("Topic") == topic);  // it takes the place of the question
    CHECK(seen.get_header_value("TTL") == "86400");

    n.what = notice::kind::asked;
    n.told_at = n.expires_at + 1s;
    CHECK(std::holds_alternative<delivered>(push.deliver(n)));
    CHECK(seen.get_header_value("TTL") == "0");
}

TEST_CASE("what the service answers is understood, and a place it points to is not asked")
{
    using kind = not_delivered::kind;
    std::atomic<int> status{201}, asked_elsewhere{0};
    push_service elsewhere([&](const httplib::Request&, httplib::Response& answer) {
        ++asked_elsewhere;
        answer.status = 201;
    });
    push_service service([&](const httplib::Request&, httplib::Response& answer) {
        answer.status = status;
        answer.set_content(std::string(200 << 10, 'x'), "text/plain");  // read and forgotten
        if (status >= 300 && status < 400) answer.set_header("Location", elsewhere.endpoint());
    });
    struct row {
        int status;
        std::optional<kind> what;
    };
    const row rows[] = {{200, {}},
                        {201, {}},
                        {202, {}},
                        {204, {}},
                        {301, kind::later},
                        {307, kind::later},
                        {400, kind::never},
                        {403, kind::never},
                        {404, kind::address},
                        {410, kind::address},
                        {413, kind::never},
                        {429, kind::later},
                        {500, kind::later},
                        {503, kind::later}};
    for (const row& r : rows) {
        CAPTURE(r.status);
        status = r.status;
        web_push push(options());
        const auto done = push.deliver(to_browser(service.endpoint()));
        const auto* failed = std::get_if<not_delivered>(&done);
        CHECK((failed != nullptr) == r.what.has_value());
        if (failed && r.what) CHECK(failed->what == *r.what);
        if (failed) CHECK(failed->why.find("secret-part") == std::string::npos);
    }
    CHECK(asked_elsewhere == 0);
}

TEST_CASE("a service that asks for a pause, or is silent, rests by itself")
{
    std::atomic<int> asked{0};
    std::promise<void> go;
    const auto gone = go.get_future().share();
    push_service busy([&](const httplib::Request&, httplib::Response& answer) {
        ++asked;
        answer.status = 429;
        answer.set_header("Retry-After", "120");
    });
    push_service silent([&](const httplib::Request&, httplib::Response&) { gone.wait_for(5s); });
    push_service quick([&](const httplib::Request&, httplib::Response& answer) { answer.status = 201; });
    web_push push(options());
    CHECK_FALSE(push.pauses_as_one());

    const auto first = push.deliver(to_browser(busy.endpoint()));
    CHECK(std::get<not_delivered>(first).not_before == duration(120s));
    const auto second = push.deliver(to_browser(busy.endpoint()));
    CHECK(std::get<not_delivered>(second).not_before.value() > duration(100s));
    CHECK(asked == 1);

    const auto begun = std::chrono::steady_clock::now();
    const auto lost = push.deliver(to_browser(silent.endpoint()));
    CHECK(std::get<not_delivered>(lost).what == not_delivered::kind::later);
    CHECK(std::get<not_delivered>(lost).why.find("secret-part") == std::string::npos);
    CHECK(std::chrono::steady_clock::now() - begun < 3s);
    const auto rested = push.deliver(to_browser(silent.endpoint()));
    CHECK(std::get<not_delivered>(rested).not_before.value() > duration(2s));
    CHECK_FALSE(std::get<not_delivered>(rested).tried);

    CHECK(std::holds_alternative<delivered>(push.deliver(to_browser(quick.endpoint()))));
    go.set_value();
}

TEST_CASE("where the gateway is not on trial, a name that leads to this machine is not knocked at")
{
    std::atomic<int> asked{0};
    push_service service([&](const httplib::Request&, httplib::Response& answer) {
        ++asked;
        answer.status = 201;
    });
    http_post_request post;
    post.url = service.endpoint("localhost");
    post.content_type = "text/plain";
    post.reach = http_reach::public_only;
    const auto answered = http_post(post);
    REQUIRE(std::holds_alternative<no_http_answer>(answered));
    CHECK(std::get<no_http_answer>(answered).why == "its name leads to no public address.");
    post.reach = http_reach::public_or_loopback;
    CHECK(std::holds_alternative<http_post_answer>(http_post(post)));
    CHECK(asked == 1);

    web_push strict(options(false));
    const auto done = strict.deliver(to_browser(service.endpoint()));
    CHECK(std::get<not_delivered>(done).what == not_delivered::kind::address);
    CHECK(asked == 1);
}
