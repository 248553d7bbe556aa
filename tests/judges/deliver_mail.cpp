// Notices as mails, for a test that has a mail server: reads options and notices as one JSON from the standard input, delivers
// them one after the other (or at once, with `at_once`), and prints what became of each, beside what it says.
#include "notifiers/email.hpp"
#include "notifiers/mail_letter.hpp"
#include "tests/notifiers/mail_notices.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <chrono>
#include <iostream>
#include <iterator>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

namespace json = boost::json;
using namespace sallyport;
using namespace sallyport::notifiers;

namespace {

std::string text(const json::object& o, std::string_view key, std::string otherwise = {})
{
    const auto* v = o.if_contains(key);
    return v ? std::string(v->as_string()) : otherwise;
}

duration milliseconds(const json::object& o, std::string_view key, duration otherwise)
{
    const auto* v = o.if_contains(key);
    return v ? std::chrono::milliseconds(v->as_int64()) : otherwise;
}

email_options options_of(const json::object& o)
{
    email_options options;
    options.from = text(o, "from", "Sallyport <gate@example.com>");
    options.public_url = "https://gate.example.com";
    smtp_server& server = options.server;
    server.host = text(o, "host");
    server.port = static_cast<std::uint16_t>(o.at("port").as_int64());
    const std::string tls = text(o, "tls", "required");
    server.tls = tls == "from_first_byte" ? smtp_tls::from_first_byte
                 : tls == "opportunistic" ? smtp_tls::opportunistic
                 : tls == "never"         ? smtp_tls::never
                                          : smtp_tls::required;
    server.user = text(o, "user");
    server.password = [password = text(o, "password")]() -> std::variant<secret, std::string> { return secret(password); };
    server.ca = text(o, "ca");
    server.connect = milliseconds(o, "connect", server.connect);
    server.whole = milliseconds(o, "whole", server.whole);
    return options;
}

notice notice_of(const json::object& o)
{
    notice n = text(o, "what", "asked") == "asked" ? asked() : ended();
    n.key = text(o, "key", n.key);
    n.to->name = text(o, "name", n.to->name);
    n.to->email = text(o, "email", n.to->email);
    n.reasons[0].summary = text(o, "summary", n.reasons[0].summary);
    n.target = text(o, "target", n.target);
    n.agent = text(o, "agent", n.agent);
    n.reason = text(o, "reason", n.reason);
    n.earlier_ref = text(o, "earlier_ref", n.earlier_ref);
    return n;
}

json::object told(const notice& n, const delivery& d)
{
    const letter l = letter_of(n, "https://gate.example.com");
    json::object out{{"subject", l.subject}, {"text", text_of(l)}, {"html", html_of(l)}};
    if (const auto* done = std::get_if<delivered>(&d)) {
        out["what"] = "delivered";
        out["message_ref"] = done->message_ref;
    } else {
        constexpr std::string_view names[] = {"later", "never", "address"};
        const auto& failed = std::get<not_delivered>(d);
        out["what"] = names[static_cast<std::size_t>(failed.what)];
        out["why"] = failed.why;
    }
    return out;
}

}  // namespace

int main()
{
    const json::value given = json::parse(std::string(std::istreambuf_iterator<char>(std::cin), {}));
    email channel(options_of(given.as_object()));
    std::vector<notice> notices;
    for (const auto& n : given.at("notices").as_array()) notices.push_back(notice_of(n.as_object()));

    std::vector<delivery> deliveries(notices.size());
    if (given.as_object().contains("at_once")) {
        std::vector<std::jthread> threads;
        for (std::size_t i = 0; i < notices.size(); ++i)
            threads.emplace_back([&channel, &n = notices[i], &d = deliveries[i]] { d = channel.deliver(n); });
    } else {
        for (std::size_t i = 0; i < notices.size(); ++i) deliveries[i] = channel.deliver(notices[i]);
    }

    json::array out;
    for (std::size_t i = 0; i < notices.size(); ++i) out.push_back(told(notices[i], deliveries[i]));
    std::cout << json::serialize(out) << '\n';
}
