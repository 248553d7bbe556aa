#include "workflows/ids.hpp"

namespace sallyport {
namespace {

constexpr std::string_view alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

constexpr std::array<std::int8_t, 256> make_values()
{
    std::array<std::int8_t, 256> values{};
    values.fill(-1);
    for (std::size_t i = 0; i < alphabet.size(); ++i) values[static_cast<unsigned char>(alphabet[i])] = static_cast<std::int8_t>(i);
    return values;
}
constexpr auto values = make_values();

// Two characters for each ten bits.
constexpr std::array<std::array<char, 2>, 1024> make_pairs()
{
    std::array<std::array<char, 2>, 1024> pairs{};
    for (std::size_t i = 0; i < pairs.size(); ++i) pairs[i] = {alphabet[i >> 5], alphabet[i & 31]};
    return pairs;
}
constexpr auto pairs = make_pairs();

}  // namespace

ulid_bytes make_ulid(time_point now, const std::array<std::uint8_t, 10>& random) noexcept
{
    const auto since = std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count();
    const auto ms = static_cast<std::uint64_t>(since);
    ulid_bytes bytes;
    for (std::size_t i = 0; i < 6; ++i) bytes[i] = static_cast<std::uint8_t>(ms >> (40 - 8 * i));
    for (std::size_t i = 0; i < random.size(); ++i) bytes[6 + i] = random[i];
    return bytes;
}

void write_ulid(const ulid_bytes& bytes, char* out) noexcept
{
    // 26 × 5 = 130 bits: the first character carries only three.
    std::uint64_t high = 0, low = 0;
    for (std::size_t i = 0; i < 8; ++i) {
        high = high << 8 | bytes[i];
        low = low << 8 | bytes[8 + i];
    }
    for (int i = 24; i >= 0; i -= 2) {
        const auto& pair = pairs[low & 1023];
        out[i] = pair[0];
        out[i + 1] = pair[1];
        low = low >> 10 | high << 54;
        high >>= 10;
    }
}

std::optional<ulid_bytes> read_ulid(std::string_view text) noexcept
{
    if (text.size() != 26 || text[0] > '7') return std::nullopt;
    std::uint64_t high = 0, low = 0;
    for (const char c : text) {
        const auto value = values[static_cast<unsigned char>(c)];
        if (value < 0) return std::nullopt;
        high = high << 5 | low >> 59;
        low = low << 5 | static_cast<std::uint64_t>(value);
    }
    ulid_bytes bytes;
    for (std::size_t i = 0; i < 8; ++i) {
        bytes[i] = static_cast<std::uint8_t>(high >> (56 - 8 * i));
        bytes[8 + i] = static_cast<std::uint8_t>(low >> (56 - 8 * i));
    }
    return bytes;
}

}  // namespace sallyport
