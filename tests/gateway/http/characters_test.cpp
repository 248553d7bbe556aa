#include "gateway/http/characters.hpp"

#include "gateway/canonical/field.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <string>

using namespace sallyport;

// What is done many characters at a time, against the same done one by one.
TEST_CASE("characters, eight and sixteen at a time")
{
    const auto slow_token_length = [](std::string_view text) {
        return static_cast<std::size_t>(std::find_if(text.begin(), text.end(), [](char c) { return !http::detail::is_tchar(c); }) -
                                        text.begin());
    };
    const auto slow_control = [](std::string_view text) {
        return std::any_of(text.begin(), text.end(), [](char c) {
            const auto byte = static_cast<unsigned char>(c);
            return (byte < 0x20 && byte != '\t') || byte == 0x7F;
        });
    };
    const auto slow_same = [](std::string_view a, std::string_view b) {
        return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) == lower(y); });
    };
    std::mt19937 random(1);
    for (int byte = 0; byte < 256; ++byte) {
        for (std::size_t size = 1; size < 40; ++size) {
            for (std::size_t at = 0; at < size; ++at) {
                std::string text(size, 'x');
                for (char& c : text) c = "abcxyzABCXYZ-"[random() % 13];
                std::string other = text;
                for (char& c : other) c = random() % 2 == 0 ? lower(c) : c;
                CHECK(same_ignoring_case(text, other));
                text[at] = static_cast<char>(byte);
                CAPTURE(text);
                CHECK(http::detail::token_length(text) == slow_token_length(text));
                CHECK(http::detail::has_control(text) == slow_control(text));
                CHECK(same_ignoring_case(text, other) == slow_same(text, other));
                std::string lowered(size, '\0');
                lower_into(lowered.data(), text);
                std::transform(text.begin(), text.end(), text.begin(), lower);
                CHECK(lowered == text);
            }
        }
    }
}
