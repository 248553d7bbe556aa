#include "notifiers/mail_text.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <string_view>

using namespace sallyport;
using namespace sallyport::notifiers;

namespace {

std::string times(std::size_t count, std::string_view text)
{
    std::string all;
    while (count-- > 0) all += text;
    return all;
}

// Whether it is one header field: CRLF ends each line, what goes on begins with a blank, and no line is too long.
bool one_field(std::string_view field)
{
    for (bool first = true; !field.empty(); first = false) {
        const auto end = field.find("\r\n");
        if (end > 78) return false;  // also where there is none
        const std::string_view line = field.substr(0, end);
        if (line.find_first_not_of(' ') == std::string_view::npos || (line.front() == ' ') == first) return false;
        for (const char c : line)
            if (c < 0x20 || c == 0x7F) return false;
        field.remove_prefix(end + 2);
    }
    return true;
}

}  // namespace

TEST_CASE("whatever comes becomes one line of UTF-8")
{
    struct row {
        std::string_view text, line;
    };
    const row rows[] = {
        {"", ""},
        {" a \t b ", "a b"},
        {"a\r\nBcc: eve@example.com", "a Bcc: eve@example.com"},
        {"a\rb\nc\vd\fe", "a b c d e"},
        {"a\u0085b\u2028c\u2029d", "a b c d"},
        {std::string_view("a\0b\x1b[2J\x7f", 7), "a\uFFFDb\uFFFD[2J"},
        {"\u202Eevil\u2066\u200F\uFEFF\u009B", "\uFFFDevil\uFFFD\uFFFD\uFFFD\uFFFD"},
        {"Zoë 家族 👩‍🚀", "Zoë 家族 👩‍🚀"},
        {"\xC3", "\uFFFD"},
        {"\xC0\xAF|\xED\xA0\x80|\xF4\x90\x80\x80|\x80", "\uFFFD\uFFFD|\uFFFD\uFFFD\uFFFD|\uFFFD\uFFFD\uFFFD\uFFFD|\uFFFD"},
    };
    for (const row& r : rows) {
        CAPTURE(r.line);
        CHECK(one_line(r.text) == r.line);
    }
}

TEST_CASE("what is cut says so, and is counted in characters")
{
    bool cut = false;
    CHECK(shortened("0123456789", 10, cut) == "0123456789");
    CHECK(shortened("家家家家家家家家家家", 10, cut) == "家家家家家家家家家家");
    CHECK_FALSE(cut);
    CHECK(shortened("0123456789a", 10, cut) == "012… [cut]");
    CHECK(cut);
    CHECK(shortened(times(11, "家"), 10, cut) == "家家家… [cut]");
}

TEST_CASE("an address is what nothing reads as more than one")
{
    for (const char* good : {"a@b", "ada.lovelace+x@mail.example.com", "o'neil@example.com", "gate@127.0.0.1"}) {
        CAPTURE(good);
        CHECK(is_mail_address(good));
    }
    for (const std::string& bad :
         {std::string(), std::string("ada"), std::string("@b"), std::string("a@"), std::string("a@b\r\nRCPT TO:<eve@example.com>"),
          std::string("a@b> SIZE=1"), std::string("a b@c"), std::string("\"a b\"@c"), std::string("a,b@c"), std::string("a@b@c"),
          std::string("zoë@example.com"), std::string("a@exämple.com"), std::string(".a@b"), std::string("a..b@c"), std::string("a@b."),
          std::string("a@[127.0.0.1]"), std::string("a\0@b", 4), times(65, "a") + "@b", "a@" + times(300, "b")}) {
        CAPTURE(bad);
        CHECK_FALSE(is_mail_address(bad));
    }
}

TEST_CASE("a mailbox is read as the configuration writes it")
{
    struct row {
        const char *text, *name, *address;
    };
    const row rows[] = {{"gate@example.com", "", "gate@example.com"},
                        {"Sallyport <gate@example.com>", "Sallyport", "gate@example.com"},
                        {"<gate@example.com>", "", "gate@example.com"},
                        {"\"The \\\"Gate\\\"\" <gate@example.com>", "The \"Gate\"", "gate@example.com"},
                        {"Tor für alle <gate@example.com>", "Tor für alle", "gate@example.com"}};
    for (const row& r : rows) {
        CAPTURE(r.text);
        const auto m = read_mailbox(r.text);
        REQUIRE(m);
        CHECK(m->name == r.name);
        CHECK(m->address == r.address);
    }
    for (const char* bad : {"", "gate", "Gate <gate>", "gate@example.com>", "Gate <a@b> <c@d", "Gate <a@b, c@d>"}) {
        CAPTURE(bad);
        CHECK_FALSE(read_mailbox(bad));
    }
}

TEST_CASE("text in a header field")
{
    struct row {
        std::string text, field;
    };
    const row rows[] = {
        {"Refund", "Subject: Refund\r\n"},
        {"a\r\nBcc: eve@example.com", "Subject: a Bcc: eve@example.com\r\n"},
        {"Zoë", "Subject: =?UTF-8?B?Wm/Dqw==?=\r\n"},
        {"=?utf-8?B?WA==?=", "Subject: =?UTF-8?B?PT91dGYtOD9CP1dBPT0/PQ==?=\r\n"},
        {times(6, "twelve chars ") + "end",
         "Subject: twelve chars twelve chars twelve chars twelve chars twelve chars\r\n twelve chars end\r\n"},
    };
    for (const row& r : rows) {
        CAPTURE(r.text);
        CHECK(text_field("Subject", r.text) == r.field);
    }
}

TEST_CASE("no text makes a second field, or a line that is too long")
{
    const mailbox plain{"Ada", "ada@example.com"};
    for (const std::string& text :
         {std::string(), times(200, "a"), times(200, "a "), times(100, "ä"), times(90, "家"), times(60, "👩‍🚀"), times(50, "a\r\n"),
          times(50, "\r\n "), "\r\n.\r\n" + times(40, "x"), times(30, "\\\""), std::string("=?"), times(70, " ") + "x", times(99, "\x80"),
          "Ada\" <eve@example.com>, \"" + times(20, "b, ")}) {
        CAPTURE(text);
        if (!text.empty()) CHECK(one_field(text_field("Subject", text)));
        CHECK(one_field(mailbox_field("To", {text, "ada@example.com"})));
        CHECK(one_field(mailbox_field("To", {text, times(20, "a") + "@" + times(20, "b") + ".example.com"})));
    }
}

TEST_CASE("a name is one name, whatever it looks like")
{
    CHECK(mailbox_field("To", {"", "ada@example.com"}) == "To: ada@example.com\r\n");
    CHECK(mailbox_field("To", {"Ada Lovelace", "ada@example.com"}) == "To: \"Ada Lovelace\" <ada@example.com>\r\n");
    CHECK(mailbox_field("To", {"eve@example.com>, \"x\\", "a@b"}) == "To: \"eve@example.com>, \\\"x\\\\\" <a@b>\r\n");
    CHECK(mailbox_field("To", {"Zoë", "a@b"}) == "To: =?UTF-8?B?Wm/Dqw==?= <a@b>\r\n");
}

TEST_CASE("dates as RFC 5322 §3.3 has them")
{
    using namespace std::chrono;
    CHECK(mail_date(sys_days(January / 5 / 2026) + 9h) == "Mon, 05 Jan 2026 09:00:00 +0000");
    CHECK(mail_date(sys_days(February / 29 / 2028) + 23h + 59min + 59s + 999ms) == "Tue, 29 Feb 2028 23:59:59 +0000");
}

TEST_CASE("quoted-printable")
{
    struct row {
        std::string text, lines;
    };
    const row rows[] = {
        {"", ""},
        {"a=b\n", "a=3Db\r\n"},
        {"Zoë\n", "Zo=C3=AB\r\n"},
        {"-- \nx", "--=20\r\nx"},
        {".\n..a\nFrom me\nnot From.\n", "=2E\r\n=2E.a\r\n=46rom me\r\nnot From.\r\n"},
        {"a\rb\tc", "a=0Db=09c"},
        {times(75, "a") + "\n", times(75, "a") + "\r\n"},
        {times(76, "a"), times(75, "a") + "=\r\na"},
        {times(75, "a") + ".", times(75, "a") + "=\r\n=2E"},
        {times(73, "a") + "ë", times(73, "a") + "=\r\n=C3=AB"},
    };
    for (const row& r : rows) {
        CAPTURE(r.text);
        CHECK(quoted_printable(r.text) == r.lines);
    }
}
