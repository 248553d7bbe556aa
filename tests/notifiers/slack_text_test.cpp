#include "notifiers/slack_text.hpp"

#include <doctest/doctest.h>

using namespace sallyport::notifiers;

TEST_CASE("foreign text stays on its line and shows what it holds")
{
    struct row {
        const char* name;
        std::string_view text, shown;
    };
    using namespace std::string_view_literals;
    const row rows[] = {
        {"plain", "Refund 900 EUR", "Refund 900 EUR"},
        {"beyond ASCII", "Zürich 東京 😀", "Zürich 東京 😀"},
        {"markup is left alone", "*b* _i_ ~s~ `c` <!channel> &amp; :smile:", "*b* _i_ ~s~ `c` <!channel> &amp; :smile:"},
        {"a line feed", "a\nb", "a↵b"},
        {"both line ends", "a\r\nb", "a↵b"},
        {"a carriage return", "a\rb", "a\\u000Db"},
        {"nothing and escape", "a\0b\x1B[2J"sv, "a\\u0000b\\u001B[2J"},
        {"delete and C1", "a\x7F\xC2\x85z", "a\\u007F\\u0085z"},
        {"right-to-left override",
         "a\xE2\x80\xAE"
         "b",
         "a\\u202Eb"},
        {"isolates", "\xE2\x81\xA6x\xE2\x81\xA9", "\\u2066x\\u2069"},
        {"zero width",
         "a\xE2\x80\x8B"
         "b\xEF\xBB\xBF",
         "a\\u200Bb\\uFEFF"},
        {"line separator",
         "a\xE2\x80\xA8"
         "b",
         "a\\u2028b"},
        {"tags", "a\xF3\xA0\x81\x81", "a\\U000E0041"},
        {"a lone byte", "a\xFFz", "a\\xFFz"},
        {"an overlong form", "\xC0\xAF", "\\xC0\\xAF"},
        {"a surrogate", "\xED\xA0\x80", "\\xED\\xA0\\x80"},
        {"beyond Unicode", "\xF4\x90\x80\x80", "\\xF4\\x90\\x80\\x80"},
        {"cut off", "\xE2\x82", "\\xE2\\x82"},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        CHECK(slack_line(r.text) == r.shown);
        CHECK(slack_line(r.shown) == r.shown);
    }
}

TEST_CASE("mrkdwn gets its three characters as entities")
{
    CHECK(escaped_for_mrkdwn("<!channel> & <@U1>") == "&lt;!channel&gt; &amp; &lt;@U1&gt;");
}

TEST_CASE("length is what Slack may count at worst")
{
    CHECK(slack_length("abc") == 3);
    CHECK(slack_length("é東") == 2);
    CHECK(slack_length("😀") == 2);
    CHECK(slack_length("&<>") == 13);
}

TEST_CASE("what is too long is cut behind a character, and says so")
{
    struct row {
        const char* name;
        std::string text;
        std::size_t limit;
        std::string kept;
        bool cut;
    };
    const row rows[] = {
        {"fits", "0123456789", 10, "0123456789", false},
        {"one too many", "0123456789A", 10, "012… [cut]", true},
        {"not within a character", "0東東東東東東東東東東", 10, "0東東… [cut]", true},
        {"not within a pair", "😀😀😀😀😀😀", 10, "😀… [cut]", true},
        {"not within an entity", "ab<<<<<<", 10, "ab… [cut]", true},
        {"no room at all", "0123456789", 3, "… [cut]", true},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        const fitted_text f = fit(r.text, r.limit);
        CHECK(f.text == r.kept);
        CHECK(f.cut == r.cut);
    }
}
