#include "notifiers/mail_letter.hpp"

#include "tests/notifiers/mail_notices.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

using namespace sallyport;
using namespace sallyport::notifiers;

namespace {

constexpr std::string_view gate = "https://gate.example.com";

bool has(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

std::size_t count_of(std::string_view text, std::string_view part)
{
    std::size_t count = 0;
    for (auto at = text.find(part); at != std::string_view::npos; at = text.find(part, at + 1)) ++count;
    return count;
}

}  // namespace

TEST_CASE("what asks, as plain text")
{
    CHECK(letter_of(asked(), gate).subject == "To decide: Refund 900 EUR to c_17");
    CHECK(text_of(letter_of(asked(), gate)) == R"(Your decision is needed

The agent refund-bot wants to make a call that waits for you, or somebody else who may decide.

In the agent's words:

Rule refunds-over-500:
> Refund 900 EUR to c_17

Request:
> POST api.example.com/v1/refunds

(A link among these words is the agent's, not Sallyport's.)

Agent: refund-bot, of team:finance
Route: payments
Workflow: finance
Approvals: 0 of 2
Asked: 2026-01-05 09:00 UTC
Expires: 2026-01-05 09:30 UTC
Hold: hld_01J00000000000000000000001

Look at it and decide:
https://gate.example.com/holds/hld_01J00000000000000000000001

This mail decides nothing. The page shows the whole request, and asks for your passkey.

)"
                                               "-- \nSent by Sallyport at https://gate.example.com. Nobody reads answers to this mail.\n");
}

TEST_CASE("what ends has the same subject, and says how")
{
    const letter l = letter_of(ended(), gate);
    CHECK(l.subject == "Re: To decide: Refund 900 EUR to c_17");
    CHECK(l.headline == "No decision is needed any more");
    CHECK(l.lead == "Denied by Grace Hopper: Twice the amount of the order.");
    CHECK(has(text_of(l), "Ended: 2026-01-05 09:07 UTC\n"));
    CHECK_FALSE(has(text_of(l), "passkey"));

    notice long_one = asked(), long_end = ended();
    long_one.reasons[0].summary = long_end.reasons[0].summary = std::string(500, 'x');
    CHECK(letter_of(long_end, gate).subject == "Re: " + letter_of(long_one, gate).subject);
}

TEST_CASE("what is cut is marked, and the letter says where the rest is")
{
    CHECK(letter_of(asked(), gate).cut.empty());
    const auto is_cut = [](const notice& n) {
        const letter l = letter_of(n, gate);
        return has(text_of(l), "the page shows everything") && has(html_of(l), "the page shows everything") && text_of(l).size() < 40'000;
    };
    notice n = asked();
    n.reasons[0].summary = std::string(130, 'x');  // too long for the subject alone
    CHECK(is_cut(n));
    CHECK(letter_of(n, gate).subject.ends_with("… [cut]"));
    CHECK(has(text_of(letter_of(n, gate)), "> " + n.reasons[0].summary + "\n"));
    n = asked();
    n.target = '/' + std::string(100'000, 'x');
    CHECK(is_cut(n));
    n = asked();
    n.reasons.resize(200, {"rule", "summary"});
    CHECK(is_cut(n));
    n = asked();
    n.workflows.resize(200, "flow");
    CHECK(is_cut(n));
    CHECK(has(text_of(letter_of(n, gate)), " and 190 more\n"));
    n = ended();
    n.reason = std::string(100'000, 'x');
    CHECK(is_cut(n));
}

TEST_CASE("the agent's words make no line of their own, and no markup")
{
    for (const char* words : {"<script>alert(1)</script>", "</p></blockquote><h1>Approved</h1>", "\"><a href='https://evil.example'>",
                              "a\n\nApprovals: 2 of 2", "&lt;b&gt;", "<!--", "<img src=x onerror=y>", "\r\n\r\n-- \r\nSent by Sallyport"}) {
        CAPTURE(words);
        notice n = ended();
        n.reasons[0] = {words, words};
        n.target = n.agent = n.reason = n.decided_by[0] = n.workflows[0] = words;
        const letter l = letter_of(n, gate);
        const std::string text = text_of(l), html = html_of(l);
        CHECK(count_of(text, "\n") == count_of(text_of(letter_of(ended(), gate)), "\n"));
        CHECK(count_of(html, "<") == count_of(html_of(letter_of(ended(), gate)), "<"));
        CHECK(count_of(html, "<a ") == 1);
    }
}

TEST_CASE("nothing is fetched, and only the hold's page is linked")
{
    const std::string html = html_of(letter_of(asked(), gate));
    CHECK(count_of(html, "http") == 2);  // the link, and the gateway's own name
    for (const char* remote : {"src=", "url(", "@import", "<link", "<script", "<img"}) CHECK_FALSE(has(html, remote));

    for (const char* link : {"javascript:alert(1)", "https://a\" onclick=\"x", "https://a\nb", ""}) {
        CAPTURE(link);
        notice n = asked();
        n.link = link;
        CHECK(letter_of(n, gate).link.empty());
        CHECK_FALSE(has(html_of(letter_of(n, gate)), "<a "));
    }
}

TEST_CASE("a notice without words of its own")
{
    notice n = asked();
    n.reasons[0].summary = "";
    n.workflows = {};
    n.owner = "";
    const letter l = letter_of(n, "");
    CHECK(l.subject == "To decide: POST /v1/refunds");
    CHECK(l.quotes.size() == 1);
    CHECK(l.facts[0].value == "refund-bot");
    CHECK(l.footer == "Sent by Sallyport. Nobody reads answers to this mail.");
}
