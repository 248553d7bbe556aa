// Bytes as text and back: RFC 4648 base64 (§4), base64url without padding (§5, RFC 7515 §2), lower-case base 16.
// Reading is strict: one text for one value, so that nothing compared as text can be written in a second way.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace sallyport {

std::string base64(std::string_view bytes);     // padded
std::string base64url(std::string_view bytes);  // never padded
std::string hex(std::string_view bytes);        // lower case

void append_base64(std::string& to, std::string_view bytes);
void append_base64url(std::string& to, std::string_view bytes);
void append_hex(std::string& to, std::string_view bytes);

/// None for wrong characters, line breaks, wrong or missing padding, and bits left over that are not zero (RFC 4648 §3.5).
std::optional<std::string> read_base64(std::string_view);
std::optional<std::string> read_base64url(std::string_view);
/// Either case; none for an odd number of digits.
std::optional<std::string> read_hex(std::string_view);

/// What SHA-256 gives; a type of its own, so that no other 32 bytes are taken for it.
struct digest {
    std::array<std::uint8_t, 32> bytes{};

    std::string_view view() const noexcept { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }
    std::string hex() const { return sallyport::hex(view()); }
    std::string base64() const { return sallyport::base64(view()); }
    std::string base64url() const { return sallyport::base64url(view()); }

    /// None unless it is exactly 32 bytes.
    static std::optional<digest> from_bytes(std::string_view) noexcept;
    static std::optional<digest> from_hex(std::string_view);
    static std::optional<digest> from_base64url(std::string_view);

    friend auto operator<=>(const digest&, const digest&) = default;
};

}  // namespace sallyport

/// Its first bytes: good enough for digests of what nobody chooses freely; a hostile key needs `keyed_hash`.
template <>
struct std::hash<sallyport::digest> {
    std::size_t operator()(const sallyport::digest& d) const noexcept
    {
        std::size_t h = 0;
        for (std::size_t i = 0; i < sizeof h; ++i) h = h << 8 | d.bytes[i];
        return h;
    }
};
