#include "notifiers/email.hpp"

#include "tests/notifiers/mail_notices.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <variant>

using namespace sallyport;
using namespace sallyport::notifiers;

using kind = not_delivered::kind;

TEST_CASE("what a reply means for a message")
{
    using enum smtp_stage;
    struct row {
        const char* name;
        smtp_stage stage;
        const char* reply;
        kind means;
    };
    const row rows[] = {
        {"greylisted", recipient, "451 4.7.1 Greylisting in action", kind::later},
        {"busy", greeting, "421 4.3.2 too many connections", kind::later},
        {"no service for us", greeting, "554 no SMTP service here", kind::later},
        {"STARTTLS is broken", starttls, "502 5.5.1 not implemented", kind::later},
        {"wrong password", authentication, "535 5.7.8 authentication failed", kind::later},
        {"the sender is not ours", sender, "550 5.7.1 not owned by user", kind::later},
        {"who are you?", sender, "530 5.7.0 authentication required", kind::later},
        {"too large", sender, "552 5.3.4 message too big", kind::never},
        {"nobody of that name", recipient, "550 5.1.1 no such user", kind::address},
        {"nobody of that name, without more", recipient, "550 no", kind::address},
        {"gone elsewhere", recipient, "551 user not local", kind::address},
        {"no such mailbox name", recipient, "553 5.1.3 bad syntax", kind::address},
        {"mailbox full", recipient, "552 5.2.2 over quota", kind::later},
        {"mailbox full, for now", recipient, "452 4.2.2 over quota", kind::later},
        {"no relaying", recipient, "554 5.7.1 relay access denied", kind::never},
        {"wants a password here", recipient, "530 5.7.0 authentication required", kind::later},
        {"refused as spam", content, "554 5.7.1 looks like spam", kind::never},
        {"out of space", content, "452 4.3.1 no space", kind::later},
        {"550 to the message is not about the address", content, "550 5.7.1 no", kind::never},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        CHECK(meaning_of(r.stage, r.reply) == r.means);
    }
}

TEST_CASE("what no server need be asked")
{
    // Nobody listens on port 1: whatever reached out would say so.
    const auto told = [](const notice& n, const char* from = "gate@example.com", smtp_tls tls = smtp_tls::required,
                         const char* host = "127.0.0.1", std::string user = "") {
        email_options o;
        o.server.host = host;
        o.server.port = 1;
        o.server.tls = tls;
        o.server.user = std::move(user);
        o.server.password = []() -> std::variant<secret, std::string> { return std::string("SMTP_PASSWORD is not set"); };
        o.from = from;
        email channel(std::move(o));
        return std::get<not_delivered>(channel.deliver(n));
    };
    notice n = asked();
    CHECK(told(n).what == kind::later);
    CHECK(told(n).why.starts_with("127.0.0.1:1: "));
    CHECK(told(n, "nobody").why == "the sender's address, `from`, is none that mail can be sent from");
    CHECK(told(n, "gate@example.com", smtp_tls::never, "mail.example.com", "gate").why ==
          "no password is sent to mail.example.com without TLS");
    CHECK(told(n, "gate@example.com", smtp_tls::never, "127.0.0.1", "gate").why == "the mail server's password: SMTP_PASSWORD is not set");
    n.to->email = "zoë@example.com";
    CHECK(told(n).what == kind::address);
    n.to->email = "ada@example.com>\r\nRCPT TO:<eve@example.com";
    CHECK(told(n).what == kind::address);
    n.to->email = "";
    CHECK(told(n).why == "ada has no mail address");
    n.to.reset();
    CHECK(told(n).what == kind::never);
}
