// Inputs nobody thought of, the same in every run: what must hold for each of them.
#include "gateway/canonical/headers.hpp"
#include "gateway/canonical/jcs.hpp"
#include "gateway/canonical/json.hpp"
#include "gateway/canonical/target.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

using namespace sallyport;

namespace {

/// Texts put together from pieces that matter, with a byte changed now and then.
class generator {
public:
    explicit generator(std::vector<std::string_view> pieces) : pieces_(std::move(pieces)) {}

    std::string next(std::size_t most)
    {
        std::string text;
        const std::size_t count = random_() % most;
        for (std::size_t i = 0; i < count; ++i) text += pieces_[random_() % pieces_.size()];
        if (!text.empty() && random_() % 4 == 0) text[random_() % text.size()] = static_cast<char>(random_() % 256);
        return text;
    }

private:
    std::mt19937 random_{20260105};
    std::vector<std::string_view> pieces_;
};

/// Touches everything, so that a sanitizer sees what is not there.
std::size_t walk(const json::value& v)
{
    std::size_t seen = v.string().size() + v.number_text().size();
    for (std::size_t i = 0; i < v.size(); ++i) {
        seen += walk(v.at(i));
        if (v.is(json::kind::object)) CHECK(v.find(v.key(i)) == &v.at(i));
    }
    return seen;
}

/// How a careless server sees a path: escapes decoded once more, parameters cut off, then split.
std::vector<std::string> careless_segments(std::string_view path)
{
    std::string decoded;
    for (std::size_t i = 0; i < path.size(); ++i) {
        if (path[i] == '%') {
            decoded += static_cast<char>(std::stoi(std::string(path.substr(i + 1, 2)), nullptr, 16));
            i += 2;
        } else {
            decoded += path[i];
        }
    }
    std::vector<std::string> segments(1);
    for (const char c : decoded) {
        if (c == '/') {
            segments.emplace_back();
        } else {
            segments.back() += c;
        }
    }
    for (std::string& s : segments) s = s.substr(0, s.find(';'));
    return segments;
}

}  // namespace

TEST_CASE("JSON: what is taken has one canonical text, and that is taken again")
{
    generator texts({"{",
                     "}",
                     "[",
                     "]",
                     ":",
                     ",",
                     "\"a\"",
                     "\"b\"",
                     "\"\\u00e4\"",
                     "\"\\ud83d\\ude00\"",
                     "\"\xc3\xa4\"",
                     "1",
                     "-2.5",
                     "1e3",
                     "true",
                     "null",
                     " ",
                     "{\"a\":",
                     "[1,",
                     "{}",
                     "[]",
                     "\"",
                     "\\",
                     "0"});
    std::size_t taken = 0;
    for (int i = 0; i < 60'000; ++i) {
        const std::string text = texts.next(9);
        const auto d = json::document::parse(text);
        if (!d) continue;
        ++taken;
        walk(d->root());
        const std::string canonical = jcs(d->root());
        const auto again = json::document::parse(canonical);
        REQUIRE_MESSAGE(again.has_value(), text);
        REQUIRE(jcs(again->root()) == canonical);
    }
    CHECK(taken > 500);
}

TEST_CASE("targets: the form is stable, and no careless server leaves the path by it")
{
    generator texts({"/",   "/",   "/",   ".",   "..",  "%2e", "%2E",    "%2f", "%2F", ";", "%3b", "a", "b",
                     "%41", "%7e", "%25", "%5c", "%00", "?",   "%c3%a4", "[",   "=",   "%", "#",   "\\"});
    std::size_t taken = 0;
    for (int i = 0; i < 60'000; ++i) {
        const std::string raw = "/" + texts.next(9);
        std::string scratch;
        const auto t = read_target(raw, "h", scratch);
        if (!t) continue;
        ++taken;
        const std::string form = std::string(t->path) + (t->query ? "?" + std::string(*t->query) : "");
        CAPTURE(raw);
        CAPTURE(form);
        std::string second;
        const auto again = read_target(form, "h", second);
        REQUIRE(again.has_value());
        REQUIRE(again->path == t->path);
        REQUIRE(again->query == t->query);
        REQUIRE(again->has_encoded_slash == t->has_encoded_slash);
        REQUIRE(again->has_path_parameter == t->has_path_parameter);
        REQUIRE(second.empty());  // nothing was left to change
        REQUIRE(t->path.find("//") == std::string_view::npos);
        for (const std::string& segment : careless_segments(t->path)) {
            REQUIRE(segment != ".");
            REQUIRE(segment != "..");
            REQUIRE(segment.find('\\') == std::string::npos);
        }
    }
    CHECK(taken > 1000);
}

TEST_CASE("Prefer: what is passed on holds no preference of ours")
{
    generator texts({"wait", "=", "5", "respond-async", ",", ";", "\"", "\\", " ", "return=minimal", "foo=\"x\"", "wait=5"});
    std::size_t passed = 0;
    for (int i = 0; i < 60'000; ++i) {
        const std::string value = texts.next(9);
        header_list out;
        fields_to_upstream(std::vector<field>{{"Prefer", value}}, {}, out);
        const auto sent = out.find("prefer");
        if (!sent) continue;
        ++passed;
        CAPTURE(value);
        preferences read;
        read_prefer(*sent, read);
        REQUIRE_FALSE(read.wait.has_value());
        REQUIRE_FALSE(read.respond_async);
        header_list again;
        fields_to_upstream(out, {}, again);
        REQUIRE(again.find("prefer") == sent);
    }
    CHECK(passed > 1000);
}
