#include "notifiers/public_address.hpp"

#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

namespace sallyport::notifiers {
namespace {

struct range4 {
    std::uint32_t first;
    int bits;
};

// RFC 6890 and its registry, as of what is not globally reachable.
constexpr std::array<range4, 15> special4{{
    {0x00000000, 8},   // this network
    {0x0A000000, 8},   // private
    {0x64400000, 10},  // shared, RFC 6598
    {0x7F000000, 8},   // loopback
    {0xA9FE0000, 16},  // link-local, and where clouds answer for their machines
    {0xAC100000, 12},  // private
    {0xC0000000, 24},  // protocol assignments
    {0xC0000200, 24},  // documentation
    {0xC0586300, 24},  // 6to4 relays, RFC 7526
    {0xC0A80000, 16},  // private
    {0xC6120000, 15},  // benchmarks
    {0xC6336400, 24},  // documentation
    {0xCB007100, 24},  // documentation
    {0xE0000000, 4},   // multicast
    {0xF0000000, 4},   // reserved, broadcast
}};

bool is_public4(std::uint32_t address) noexcept
{
    return std::none_of(special4.begin(), special4.end(),
                        [address](const range4& r) { return (address >> (32 - r.bits)) == (r.first >> (32 - r.bits)); });
}

std::uint32_t number_at(const std::uint8_t* bytes) noexcept
{
    return std::uint32_t{bytes[0]} << 24 | std::uint32_t{bytes[1]} << 16 | std::uint32_t{bytes[2]} << 8 | bytes[3];
}

bool is_public6(const std::uint8_t* a) noexcept
{
    constexpr std::array<std::uint8_t, 12> mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
    constexpr std::array<std::uint8_t, 12> translated{0, 0x64, 0xFF, 0x9B};  // RFC 6052
    if (std::memcmp(a, mapped.data(), mapped.size()) == 0 || std::memcmp(a, translated.data(), translated.size()) == 0)
        return is_public4(number_at(a + 12));
    if ((a[0] & 0xE0) != 0x20) return false;                                         // what is global unicast is within 2000::/3
    if (a[0] == 0x20 && a[1] == 0x02) return is_public4(number_at(a + 2));           // 6to4
    if (a[0] == 0x20 && a[1] == 0x01 && a[2] < 0x02) return false;                   // protocol assignments, Teredo
    if (a[0] == 0x20 && a[1] == 0x01 && a[2] == 0x0D && a[3] == 0xB8) return false;  // documentation
    return !(a[0] == 0x3F && a[1] == 0xFF && a[2] < 0x10);                           // documentation, RFC 9637
}

}  // namespace

bool is_public(const sockaddr& address) noexcept
{
    if (address.sa_family == AF_INET) return is_public4(ntohl(reinterpret_cast<const sockaddr_in&>(address).sin_addr.s_addr));
    if (address.sa_family == AF_INET6) return is_public6(reinterpret_cast<const sockaddr_in6&>(address).sin6_addr.s6_addr);
    return false;
}

bool is_loopback(const sockaddr& address) noexcept
{
    if (address.sa_family == AF_INET) return ntohl(reinterpret_cast<const sockaddr_in&>(address).sin_addr.s_addr) >> 24 == 127;
    if (address.sa_family == AF_INET6) return IN6_IS_ADDR_LOOPBACK(&reinterpret_cast<const sockaddr_in6&>(address).sin6_addr) != 0;
    return false;
}

}  // namespace sallyport::notifiers
