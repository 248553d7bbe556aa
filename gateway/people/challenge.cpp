#include "gateway/people/challenge.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <cstdint>
#include <stdexcept>

namespace sallyport::people {
namespace {

constexpr std::size_t tag_bytes = 16, time_bytes = 8;
constexpr std::size_t signed_bytes = challenge_random + time_bytes;

std::string bytes_of(time_point t)
{
    std::string out;
    const auto count = static_cast<std::uint64_t>(t.time_since_epoch().count());
    for (int shift = 56; shift >= 0; shift -= 8) out += static_cast<char>(count >> shift);
    return out;
}

time_point time_of(std::string_view bytes)
{
    std::uint64_t count = 0;
    for (const char c : bytes) count = count << 8 | static_cast<unsigned char>(c);
    return time_point(duration(static_cast<std::int64_t>(count)));
}

std::string tag_for(std::string_view purpose, std::string_view signed_part, std::string_view key)
{
    // The signed part has one length, so that no purpose can be read as part of it.
    return tag_of(std::string(purpose) + std::string(signed_part), key);
}

}  // namespace

std::string tag_of(std::string_view text, std::string_view key)
{
    std::array<unsigned char, 32> tag{};
    unsigned length = 0;
    if (!HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(text.data()), text.size(),
              tag.data(), &length))
        throw std::runtime_error("OpenSSL has no HMAC");
    return {reinterpret_cast<const char*>(tag.data()), tag_bytes};
}

bool same_tag(std::string_view a, std::string_view b) noexcept
{
    return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string make_challenge(std::string_view purpose, time_point expires_at, std::string_view random, std::string_view key)
{
    if (random.size() != challenge_random) throw std::invalid_argument("a challenge needs 16 random bytes");
    const std::string signed_part = std::string(random) + bytes_of(expires_at);
    return signed_part + tag_for(purpose, signed_part, key);
}

bool is_challenge(std::string_view challenge, std::string_view purpose, time_point now, std::string_view key)
{
    if (challenge.size() != signed_bytes + tag_bytes) return false;
    const auto signed_part = challenge.substr(0, signed_bytes);
    return same_tag(tag_for(purpose, signed_part, key), challenge.substr(signed_bytes)) &&
           now < time_of(signed_part.substr(challenge_random));
}

}  // namespace sallyport::people
