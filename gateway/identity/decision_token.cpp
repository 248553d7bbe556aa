#include "gateway/identity/decision_token.hpp"

#include "workflows/encoding.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <stdexcept>

namespace sallyport::identity {
namespace {

constexpr char version = '1';
constexpr std::size_t ulid_length = 16, mac_length = 32;
constexpr std::size_t fixed_length = 1 + ulid_length + ulid_length + sizeof(std::int64_t);
constexpr std::size_t longest_channel = 64;

std::string mac_of(std::string_view bytes, std::string_view key)
{
    std::array<unsigned char, EVP_MAX_MD_SIZE> mac{};
    unsigned int length = 0;
    if (!HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
              mac.data(), &length) ||
        length != mac_length)
        throw std::runtime_error("HMAC-SHA-256 failed");
    return {reinterpret_cast<const char*>(mac.data()), length};
}

template <class Id>
Id read_id(std::string_view bytes)
{
    ulid_bytes raw{};
    std::memcpy(raw.data(), bytes.data(), raw.size());
    return Id::from_bytes(raw);
}

}  // namespace

std::string write_decision_token(const decision_token& t, std::string_view key)
{
    std::string bytes(1, version);
    bytes.append(reinterpret_cast<const char*>(t.hold.bytes().data()), ulid_length);
    bytes.append(reinterpret_cast<const char*>(t.person.bytes().data()), ulid_length);
    const auto until = static_cast<std::uint64_t>(t.expires_at.time_since_epoch().count());
    for (int shift = 56; shift >= 0; shift -= 8) bytes += static_cast<char>(until >> shift & 0xFF);
    bytes += t.channel;
    bytes += mac_of(bytes, key);
    return base64url(bytes);
}

std::optional<decision_token> read_decision_token(std::string_view text, std::string_view key)
{
    if (text.size() > 2 * (fixed_length + longest_channel + mac_length)) return std::nullopt;
    const auto read = read_base64url(text);
    if (!read || read->size() < fixed_length + mac_length) return std::nullopt;
    const std::string_view bytes = std::string_view(*read).substr(0, read->size() - mac_length);
    const std::string mac = mac_of(bytes, key);
    if (CRYPTO_memcmp(mac.data(), read->data() + bytes.size(), mac_length) != 0 || bytes.front() != version) return std::nullopt;
    decision_token t;
    t.hold = read_id<hold_id>(bytes.substr(1));
    t.person = read_id<person_id>(bytes.substr(1 + ulid_length));
    std::uint64_t until = 0;
    for (const char c : bytes.substr(1 + 2 * ulid_length, sizeof until)) until = until << 8 | static_cast<unsigned char>(c);
    t.expires_at = time_point(duration(static_cast<std::int64_t>(until)));
    t.channel = bytes.substr(fixed_length);
    return t;
}

}  // namespace sallyport::identity
