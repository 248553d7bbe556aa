#include "gateway/forward/redaction.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <string>
#include <string_view>
#include <vector>

using namespace sallyport::forward;

namespace {

std::string in_pieces(const credential_forms& forms, std::string_view text, const std::vector<std::size_t>& cuts)
{
    redactor one(forms);
    std::string out;
    std::size_t from = 0;
    for (const std::size_t cut : cuts) {
        const std::string piece(text.substr(from, cut - from));
        out += one.feed(piece);
        from = cut;
    }
    const std::string piece(text.substr(from));
    out += one.feed(piece);
    out += one.finish();
    return out;
}

/// The definition, the slow way: bytes under any occurrence are covered, occurrences that share a byte are one.
std::string by_definition(const std::vector<std::string>& forms, std::string_view text)
{
    std::vector<std::pair<std::size_t, std::size_t>> spans;
    for (std::size_t at = 0; at < text.size(); ++at)
        for (const std::string& form : forms)
            if (text.substr(at).starts_with(form)) spans.emplace_back(at, at + form.size());
    std::string out;
    std::size_t done = 0;
    for (std::size_t i = 0; i < spans.size();) {
        std::size_t end = spans[i].second;
        const std::size_t begin = spans[i].first;
        while (++i < spans.size() && spans[i].first < end) end = std::max(end, spans[i].second);
        out += text.substr(done, begin - done);
        out += redacted;
        done = end;
    }
    out += text.substr(done);
    return out;
}

}  // namespace

TEST_CASE("each form of a credential is replaced")
{
    struct row {
        const char* name;
        const char* header_value;
        const char* raw;
        const char* text;
        const char* then;
    };
    const row rows[] = {
        {"a header's value", "s3cret-key", "s3cret-key", "key=s3cret-key.", "key=[credential]."},
        {"nothing there", "s3cret-key", "s3cret-key", "key=s3cret-kex.", "key=s3cret-kex."},
        {"empty text", "s3cret-key", "s3cret-key", "", ""},
        {"bearer, whole", "Bearer abcdef", "abcdef", "Authorization: Bearer abcdef\n", "Authorization: [credential]\n"},
        {"bearer, the token alone", "Bearer abcdef", "abcdef", "abcdef abcdef", "[credential] [credential]"},
        {"basic, whole", "Basic dXNlcjpwdw==", "user:pw", "Basic dXNlcjpwdw==", "[credential]"},
        {"basic, base64 alone", "Basic dXNlcjpwdw==", "user:pw", "dXNlcjpwdw==", "[credential]=="},
        {"basic, without padding", "Basic dXNlcjpwdw==", "user:pw", "\"dXNlcjpwdw\"", "\"[credential]\""},
        {"basic, decoded", "Basic dXNlcjpwdw==", "user:pw", "you are user:pw!", "you are [credential]!"},
        {"base64 of a header's value", "user:pw", "user:pw", "dXNlcjpwdw==", "[credential]=="},
        {"in JSON", "a\"b\\c/d", "a\"b\\c/d", R"({"k":"a\"b\\c/d","l":"a\"b\\c\/d"})", R"({"k":"[credential]","l":"[credential]"})"},
        {"in a URL", "a b+c/d", "a b+c/d", "?k=a%20b%2Bc%2Fd&l=a%20b%2bc%2fd", "?k=[credential]&l=[credential]"},
        {"basic, its base64 in JSON that escapes slashes", "Basic dTphYmM/Pj8+fn5rZXk=", "u:abc?>?>~~key",
         R"({"a":"Basic dTphYmM\/Pj8+fn5rZXk="})", R"({"a":"[credential]"})"},
        {"basic, in JSON that escapes what HTML minds", "Basic dTphYmM/Pj8+fn5rZXk=", "u:abc?>?>~~key",
         R"({"a":"Basic dTphYmM/Pj8\u002Bfn5rZXk=","b":"u:abc?\u003e?\u003E~~key"})", R"({"a":"[credential]","b":"[credential]"})"},
        {"basic, as encodeURIComponent writes it", "Basic dTphYmM/Pj8+fn5rZXk=", "u:abc?>?>~~key",
         "a=Basic%20dTphYmM%2FPj8%2Bfn5rZXk%3D&b=u%3Aabc%3F%3E%3F%3E~~key", "a=[credential]&b=[credential]"},
        {"basic, in a form", "Basic dTphYmM/Pj8+fn5rZXk=", "u:abc?>?>~~key", "a=Basic+dTphYmM%2FPj8%2Bfn5rZXk%3D.", "a=[credential]."},
        {"basic, in HTML", "Basic dTphYmM/Pj8+fn5rZXk=", "u:abc?>?>~~key",
         "<p>u:abc?&gt;?&gt;~~key<p>Basic dTphYmM&#x2F;Pj8&#43;fn5rZXk&#x3D;", "<p>[credential]<p>[credential]"},
        {"basic, base64 for URLs", "Basic dTphYmM/Pj8+fn5rZXk=", "u:abc?>?>~~key", "dTphYmM_Pj8-fn5rZXk", "[credential]"},
        {"basic, the password alone", "Basic dTphYmM/Pj8+fn5rZXk=", "u:abc?>?>~~key", "pw abc?>?>~~key, abc%3F%3E%3F%3E~~key",
         "pw [credential], [credential]"},
        {"basic, the password's base64", "Basic dTphYmM/Pj8+fn5rZXk=", "u:abc?>?>~~key", "YWJjPz4/Pn5+a2V5", "[credential]"},
        {"basic, a password too short to be looked for", "Basic YWRtaW46YWJjZGU=", "admin:abcde", "abcde admin:abcde",
         "abcde [credential]"},
        {"basic, a key for a user", "Basic c2tfbGl2ZV8xMjM6", "sk_live_123:", "sk_live_123, sk_live_123:", "[credential], [credential]"},
        {"a string in a string", "a\"b/c", "a\"b/c", R"("{\"k\":\"a\\\"b\\\/c\"}")", R"("{\"k\":\"[credential]\"}")"},
        {"a URL in a URL", "a b/c", "a b/c", "?u=%2Fx%3Fk%3Da%2520b%252Fc", "?u=%2Fx%3Fk%3D[credential]"},
        {"percent signs and backslashes of its own", "50%25\\\\x&amp;", "50%25\\\\x&amp;", "50%25\\\\x&amp; 50%2525\\\\\\\\x&amp;amp;",
         "[credential] [credential]"},
        {"an escape of another character", "a/b", "a/b", R"(a\u002eb a%2Eb a&#46;b a\b)", R"(a\u002eb a%2Eb a&#46;b a\b)"},
        {"touching", "secret", "secret", "secretsecret", "[credential][credential]"},
        {"overlapping itself", "abab", "abab", "xabababy", "x[credential]y"},
        {"a scheme of two words is no scheme", "My key is secret1", "My key is secret1", "secret1", "secret1"},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        const credential_forms forms(r.header_value, r.raw);
        CHECK(forms.redact(r.text) == r.then);
        CHECK(forms.found_in(r.text) == (std::string_view(r.text) != r.then));
        const std::string text = r.text;
        for (std::size_t cut = 0; cut <= text.size(); ++cut) {
            CAPTURE(cut);
            CHECK(in_pieces(forms, text, {cut}) == r.then);
        }
        std::vector<std::size_t> every;
        for (std::size_t cut = 1; cut < text.size(); ++cut) every.push_back(cut);
        CHECK(in_pieces(forms, text, every) == r.then);
    }
}

TEST_CASE("no credential changes nothing")
{
    const credential_forms none;
    CHECK(none.empty());
    CHECK(none.redact("anything") == "anything");
    redactor one(none);
    CHECK(one.feed("abc") == "abc");
    CHECK(one.finish().empty());
}

TEST_CASE("what cannot become an occurrence is passed on at once")
{
    const credential_forms forms("Bearer secret", "secret");
    redactor one(forms);
    const std::string plain = "data: hello\n\n";
    const std::string_view passed = one.feed(plain);
    CHECK(passed == plain);
    CHECK(passed.data() == plain.data());  // not copied
    CHECK(one.feed("and sec") == "and ");  // `sec` may go on
    CHECK(one.feed("ond") == "second");
    CHECK(one.feed("x secre") == "x ");
    CHECK(one.finish() == "secre");
}

TEST_CASE("a run that never ends is not kept in memory")
{
    const credential_forms forms("aa", "aa");
    redactor one(forms);
    std::string out;
    const std::string piece(1000, 'a');
    for (int i = 0; i < 100; ++i) out += one.feed(piece);
    out += one.finish();
    CHECK(out == redacted);
}

TEST_CASE("random spellings: whichever characters are escaped, and however they are cut")
{
    std::mt19937 random(20240608);
    const auto any = [&random](std::size_t below) { return static_cast<std::size_t>(random() % below); };
    const std::string visible = "abcXYZ019-._~!*'()/+=:?&%\\\"<>";
    const auto hex = [&](unsigned char c, std::size_t digits) {
        std::string made;
        for (std::size_t i = digits; i-- > 0;) {
            const std::string_view alphabet = any(2) != 0 ? "0123456789abcdef" : "0123456789ABCDEF";
            made += alphabet[(static_cast<std::uint32_t>(c) >> (4 * i)) & 15];
        }
        return made;
    };
    for (int round = 0; round < 4000; ++round) {
        CAPTURE(round);
        std::string secret;
        for (std::size_t size = 8 + any(24); size > 0; --size) secret += visible[any(visible.size())];
        std::string spelled;
        for (const char c : secret) {
            const auto byte = static_cast<unsigned char>(c);
            switch (any(8)) {
            case 0: spelled += '%' + hex(byte, 2); break;
            case 1: spelled += "\\u" + hex(byte, 4); break;
            case 2: spelled += "&#x" + hex(byte, 2) + ';'; break;
            case 3: spelled += "&#" + std::to_string(byte) + ';'; break;
            case 4: spelled += "%25" + hex(byte, 2); break;
            default:
                if (std::string_view("\\\"/").find(c) != std::string_view::npos && any(2) != 0) spelled += '\\';
                spelled += c;
            }
        }
        CAPTURE(secret);
        CAPTURE(spelled);
        const credential_forms forms(secret, secret);
        const std::string text = "{" + spelled + "}";
        const std::string want = "{" + std::string(redacted) + "}";
        CHECK(forms.found_in(text));
        CHECK(forms.redact(text) == want);
        std::vector<std::size_t> cuts;
        for (std::size_t at = 0; at < text.size(); ++at)
            if (any(3) == 0) cuts.push_back(at);
        CHECK(in_pieces(forms, text, cuts) == want);
    }
}

TEST_CASE("a secret of escapes is read in a time that its length bounds")
{
    for (const char* one : {"\\", "%25", "&amp;"}) {
        std::string secret, text;
        for (int i = 0; i < 40; ++i) secret += one;
        for (int i = 0; i < 4000; ++i) text += one;
        const credential_forms forms(secret + "x", secret + "x");
        CHECK_FALSE(forms.found_in(text));
        CHECK(forms.redact(text) == text);
    }
}

TEST_CASE("random texts: as defined, however they are cut")
{
    std::mt19937 random(20240607);
    for (int round = 0; round < 4000; ++round) {
        CAPTURE(round);
        const auto word = [&random](std::size_t longest) {
            std::string made;
            const std::size_t size = 1 + random() % longest;
            for (std::size_t i = 0; i < size; ++i) made += "ab"[random() % 2];
            return made;
        };
        // Letters only, so that JSON and percent-encoding add no forms; below six bytes there is no base64.
        const std::string value = word(6), raw = word(5);
        const credential_forms forms(value, raw);
        const std::string text = word(40);
        const std::string want = by_definition({value, raw}, text);
        CAPTURE(value);
        CAPTURE(raw);
        CAPTURE(text);
        CHECK(forms.redact(text) == want);
        std::vector<std::size_t> cuts;
        for (std::size_t at = 0; at < text.size(); ++at)
            if (random() % 3 == 0) cuts.push_back(at);
        CHECK(in_pieces(forms, text, cuts) == want);
    }
}
