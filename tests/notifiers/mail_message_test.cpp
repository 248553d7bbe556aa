#include "notifiers/mail_message.hpp"

#include "tests/notifiers/mail_notices.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

using namespace sallyport;
using namespace sallyport::notifiers;

namespace {

const mailbox gate{"Sallyport", "gate@example.com"};

std::string message(const notice& n) { return mail_message(n, gate, "https://gate.example.com"); }

std::vector<std::string> lines_of(std::string_view text)
{
    std::vector<std::string> lines;
    for (auto end = text.find("\r\n"); end != std::string_view::npos; end = text.find("\r\n")) {
        lines.emplace_back(text.substr(0, end));
        text.remove_prefix(end + 2);
    }
    CHECK(text.empty());
    return lines;
}

// The names of the header's fields, in order.
std::vector<std::string> fields_of(const std::string& mail)
{
    std::vector<std::string> names;
    for (const std::string& line : lines_of(mail)) {
        if (line.empty()) break;
        if (line.front() != ' ') names.push_back(line.substr(0, line.find(':')));
    }
    return names;
}

bool has(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

}  // namespace

TEST_CASE("the header of what asks")
{
    const std::string mail = message(asked());
    CHECK(mail.starts_with("From: \"Sallyport\" <gate@example.com>\r\n"
                           "To: \"Ada Lovelace\" <ada@example.com>\r\n"
                           "Subject: To decide: Refund 900 EUR to c_17\r\n"
                           "Date: Mon, 05 Jan 2026 09:00:00 +0000\r\n"
                           "Message-ID: <hld_01J00000000000000000000001."));
    CHECK(has(mail, "\r\nAuto-Submitted: auto-generated\r\nX-Auto-Response-Suppress: All\r\n"));
    CHECK_FALSE(has(mail, "\r\nReferences:"));
}

TEST_CASE("one hold is one thread for one person")
{
    const std::string asks = message_id(asked(), "example.com"), ends = message_id(ended(), "example.com");
    CHECK(asks != ends);
    CHECK(asks.starts_with("<hld_01J00000000000000000000001."));
    CHECK(asks.ends_with("@example.com>"));

    // The question's id needs nothing but hold and person.
    notice again = asked();
    again.key = "another";
    again.reasons[0].summary = "another";
    again.to->email = "ada@elsewhere.example";
    CHECK(message_id(again, "example.com") == asks);
    again.to->id = *person_id::parse("per_01J00000000000000000000009");
    CHECK(message_id(again, "example.com") != asks);

    CHECK(has(message(ended()), "\r\nIn-Reply-To: " + asks + "\r\nReferences: " + asks + "\r\n"));
    notice known = ended();
    known.earlier_ref = "<earlier@example.com>";
    CHECK(has(message(known), "\r\nReferences: <earlier@example.com>\r\n"));
    for (const char* bad : {"", "<>", "1700000000.123", "<a@b>\r\nBcc: eve@example.com", "<a b@c>", "<a@b> <c@d>"}) {
        CAPTURE(bad);
        known.earlier_ref = bad;
        CHECK(has(message(known), "\r\nReferences: " + asks + "\r\n"));
    }

    notice other = ended();
    other.key += "/2";
    CHECK(message_id(other, "example.com") != ends);
}

TEST_CASE("no text adds a field or a part, or makes a line too long")
{
    const auto fields = fields_of(message(ended()));
    for (const char* text :
         {"x\r\nBcc: eve@example.com", "x\r\n\r\n<html>", "x\n.\nMAIL FROM:<eve@example.com>", "--=_sallyport", "x\r\n--=_sallyport--\r\n",
          "Zoë 家族 👩‍🚀", "\x80\xff", "=?utf-8?Q?=0D=0ABcc:_eve?=", "\"", "\\", "<eve@example.com>", "a, b; c: d"}) {
        CAPTURE(text);
        notice n = ended();
        n.reasons[0] = {text, text};
        n.key = n.agent = n.owner = n.route = n.method = n.authority = n.target = n.reason = n.link = n.earlier_ref = text;
        n.decided_by = n.workflows = {text};
        n.to->name = n.to->handle = text;
        const std::string mail = message(n);
        CHECK(fields_of(mail) == fields);
        const auto lines = lines_of(mail);
        CHECK(std::ranges::count_if(lines, [](const std::string& l) { return l.starts_with("--=_"); }) == 3);
        for (const std::string& line : lines) {
            CHECK((line.size() <= 78 || line.starts_with("Message-ID:") || line.starts_with("References:") ||
                   line.starts_with("In-Reply-To:")));
            CHECK(std::ranges::all_of(line, [](char c) { return c >= 0x20 && c < 0x7F; }));
            CHECK(line != ".");
        }
    }
}
