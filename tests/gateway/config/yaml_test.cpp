#include "gateway/config/yaml.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

namespace sallyport::config::yaml {
namespace {

TEST_CASE("what is not in the strict part of YAML is a mistake at its place")
{
    struct row {
        std::string name;
        std::string text;
        std::size_t line, column;
        const char* message;
    };
    const row rows[] = {
        {"an anchor", "a: &x 1\n", 1, 4, "anchors"},
        {"an anchor on a map", "a: &x\n  b: 1\n", 1, 4, "anchors"},
        {"an alias of nothing", "a: *\n", 1, 4, "aliases"},
        {"an unknown alias", "a: *x\n", 1, 4, "aliases"},
        {"a tag", "a: !!str 1\n", 1, 4, "tags"},
        {"a tag of our own", "a: !env X\n", 1, 4, "tags"},
        {"the tag without a name", "a: ! x\n", 1, 4, "tags"},
        {"a merge key", "a: { b: 1 }\nc:\n  <<: { b: 1 }\n", 3, 3, "merge keys"},
        {"a key twice", "a: 1\nb: 2\na: 3\n", 3, 1, "`a` is in this map twice"},
        {"a key twice, once in quotes", "a: 1\n\"\\x61\": 3\n", 2, 1, "`a` is in this map twice"},
        {"a key twice, deep down", "a:\n  - { b: 1, b: 2 }\n", 2, 13, "`b` is in this map twice"},
        {"a second document", "a: 1\n---\nb: 2\n", 2, 1, "second document"},
        {"a second, empty document", "a: 1\n---\n", 2, 1, "second document"},
        {"an octal number", "a: 010\n", 1, 4, "leading zero"},
        {"a signed octal number", "a: [ -007 ]\n", 1, 6, "leading zero"},
        {"a map as key", "? { a: 1 }\n: 2\n", 1, 3, "a key must be a text"},
        {"a list as key", "[a]: 2\n", 1, 1, "a key must be a text"},
        {"nothing as key", "? \n: 2\n", 1, 1, "a key must be a text"},
        {"an open list", "a: [ 1, 2\n", 2, 1, "not YAML"},
        {"a tab as indentation", "a:\n\tb: 1\n", 2, 3, "not YAML"},
        {"bytes that are not UTF-8", "a: \xFF\n", 1, 4, "not UTF-8"},
        {"a surrogate", "a: \xED\xA0\x80\n", 1, 4, "not UTF-8"},
        {"an overlong form", "a: \xC0\xAF\n", 1, 4, "not UTF-8"},
        {"half a character at the end", "a: \xC3", 1, 4, "not UTF-8"},
        {"a NUL", std::string("a: x\0y\n", 7), 1, 5, "U+0000"},
        {"what yaml-cpp takes for the end", "a: \x04 b: &x\n", 1, 4, "U+0004"},
        {"a lone carriage return", "a: 1\rb: 2\n", 1, 5, "U+000D"},
        {"turned writing", "a: \"x\u202Ey\"\n", 1, 6, "U+202E"},
        {"turned writing in a comment", "# \u2066\na: 1\n", 1, 3, "U+2066"},
        {"a line end of others", "a: x\u2028b: y\n", 1, 5, "U+2028"},
        {"a mark within", "a: x\uFEFF\n", 1, 5, "U+FEFF"},
        {"too deep", std::string(40, '[') + std::string(40, ']'), 1, 33, "levels"},
        // What is never closed might yet be a key, and yaml-cpp opens a map for it.
        {"much too deep", std::string(200'000, '['), 1, 17, "levels"},
        {"much too deep maps",
         [] {
             std::string s;
             for (int i = 0; i < 5'000; ++i) s += "{a: ";
             return s;
         }(),
         1, 125, "levels"},
        {"too long", std::string(longest_text + 1, '#'), 1, 1, "1 MiB"},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        std::vector<mistake> mistakes;
        document::parse(r.text, mistakes);
        REQUIRE(!mistakes.empty());
        CHECK(mistakes[0].where.line == r.line);
        CHECK(mistakes[0].where.column == r.column);
        CHECK_MESSAGE(mistakes[0].message.find(r.message) != std::string::npos, mistakes[0].message);
    }
}

TEST_CASE("mistakes that leave a tree are all found")
{
    std::vector<mistake> mistakes;
    const auto doc = document::parse("a: 010\nb: !x 1\nc: 1\nc: &y 2\n", mistakes);
    REQUIRE(doc);
    CHECK(mistakes.size() == 4);
    CHECK(doc->root().members.size() == 3);
}

TEST_CASE("a scalar keeps its text; its looks decide nothing")
{
    std::vector<mistake> mistakes;
    const auto doc = document::parse("\xEF\xBB\xBF"
                                     "a: yes\r\nb: 'no'\r\nc: 1e3\r\nd: ~\r\ne:\r\nf: 0x10\r\ng: \"\"\r\n",
                                     mistakes);
    REQUIRE(doc);
    CHECK(mistakes.empty());
    const auto text = [&](const char* key) { return doc->root().find(key)->value.text; };
    CHECK(text("a") == "yes");
    CHECK(text("b") == "no");
    CHECK(text("c") == "1e3");
    CHECK(doc->root().find("d")->value.kind == node::kind::null);
    CHECK(doc->root().find("e")->value.kind == node::kind::null);
    CHECK(text("f") == "0x10");
    CHECK(doc->root().find("g")->value.kind == node::kind::scalar);
    CHECK(doc->root().find("a")->value.plain());
    CHECK(!doc->root().find("b")->value.plain());
    CHECK(doc->at(doc->root().find("c")->value.begin).line == 3);
    CHECK(doc->root().find("h") == nullptr);
}

TEST_CASE("an empty file is an empty map")
{
    for (const char* text : {"", "\n\n", "# nothing yet\n", "---\n", "{}"}) {
        CAPTURE(text);
        std::vector<mistake> mistakes;
        const auto doc = document::parse(text, mistakes);
        REQUIRE(doc);
        CHECK(mistakes.empty());
        CHECK(doc->root().kind == node::kind::map);
        CHECK(doc->root().members.empty());
    }
}

TEST_CASE("the place of a value that is not there")
{
    std::vector<mistake> mistakes;
    const auto doc = document::parse("a:\n\n\nb:\n  -\n  - x\n", mistakes);
    REQUIRE(doc);
    CHECK(doc->at(doc->root().find("a")->value.begin).line == 1);
    CHECK(doc->at(doc->root().find("b")->value.items.at(0).begin).line == 5);
}

TEST_CASE("a character of a scalar's text is found in the file")
{
    // `@` marks, in each file, the place that the first `!` of the decoded text must be found at: it stands for `!`.
    struct row {
        std::string name;
        std::string file;
    };
    const row rows[] = {
        {"plain", "a: x == @y\n"},
        {"plain in a list", "a: [ b, x @ y ]\n"},
        {"plain behind letters of two bytes", "a: äöü @y\n"},
        {"plain over two lines", "a: x ==\n   z && @y\n"},
        {"plain over an empty line", "a: x ==\n\n\n   z && @y\n"},
        {"plain with blanks at the line's end", "a: x ==  \n     z && @y\n"},
        {"plain on the line after its key", "a:\n  x == @y\n"},
        {"single quotes", "a: 'x == @y'\n"},
        {"single quotes within", "a: 'x == ''z'' && @y'\n"},
        {"single quotes over lines", "a: 'x ==\n    ''z'' &&\n\n  @y'\n"},
        {"double quotes", "a: \"x == @y\"\n"},
        {"double quotes with escapes", "a: \"x == \\\"z\\\" \\x41 \\u00e4 \\U0001F600 \\t\\\\ && @y\"\n"},
        {"double quotes over lines", "a: \"x ==\n   z &&\n\n   @y\"\n"},
        {"double quotes with an escaped line end", "a: \"x == \\\n    z \\\n   \\ && @y\"\n"},
        {"literal", "a: |\n  x ==\n  @y\n"},
        {"literal that is stripped", "a: |-\n    x ==\n      z &&\n\n    @y\n"},
        {"literal with an indentation", "a: |2\n    x ==\n   @y\n"},
        {"literal behind empty lines", "a: |\n\n\n  x ==\n  @y\n"},
        {"literal with a comment", "a: | # why\n  x ==\n  @y\n"},
        {"folded", "a: >\n  x ==\n  z &&\n  @y\n"},
        {"folded over an empty line", "a: >-\n  x ==\n\n\n  z && @y\n"},
        {"folded with an indented line", "a: >-\n  x ==\n    z &&\n    w &&\n  @y\n"},
        {"folded in a list of maps", "b:\n  - c: 1\n    a: >\n      x ==\n      @y\n"},
        {"with carriage returns", "a: >-\r\n  x ==\r\n  @y\r\n"},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        std::string file = r.file;
        const auto mark = file.find('@');
        file[mark] = '!';
        std::vector<mistake> mistakes;
        const auto doc = document::parse(file, mistakes);
        REQUIRE(doc);
        REQUIRE_MESSAGE(mistakes.empty(), mistakes[0].message);
        const node* scalar = nullptr;
        const auto visit = [&](const auto& self, const node& n) -> void {
            if (n.kind == node::kind::scalar && n.text.find('!') != std::string::npos) scalar = &n;
            for (const auto& i : n.items) self(self, i);
            for (const auto& m : n.members) self(self, m.value);
        };
        visit(visit, doc->root());
        REQUIRE(scalar);
        CAPTURE(scalar->text);
        std::size_t line = 1, column = 1;
        for (std::size_t i = 0; i < mark; ++i) {
            const auto byte = static_cast<unsigned char>(file[i]);
            if (byte == '\n')
                ++line, column = 1;
            else if ((byte & 0xC0) != 0x80 && byte != '\r')
                ++column;
        }
        const auto place = doc->in(*scalar, scalar->text.find('!'));
        CHECK(place.line == line);
        CHECK(place.column == column);
        // Behind the end, and within every character: never further than the text.
        for (std::size_t i = 0; i <= scalar->text.size() + 3; ++i) CHECK(doc->in(*scalar, i).line >= doc->at(scalar->begin).line);
    }
}

TEST_CASE("what is missing at the end is missing behind the last word")
{
    std::vector<mistake> mistakes;
    const auto doc = document::parse("a: x ==   # so\nb: |\n  y ==\n\nc: 'z'\n", mistakes);
    REQUIRE(doc);
    const auto end = [&](const char* key) {
        const auto& n = doc->root().find(key)->value;
        return doc->in(n, n.text.size());
    };
    CHECK(end("a").line == 1);
    CHECK(end("a").column == 8);
    CHECK(end("b").line == 3);
    CHECK(end("b").column == 7);
    CHECK(end("c").column == 6);
}

}  // namespace
}  // namespace sallyport::config::yaml
