#include "gateway/canonical/keyed_hash.hpp"

#include <openssl/rand.h>

#include <array>
#include <bit>
#include <cstring>
#include <stdexcept>

namespace sallyport {
namespace {

struct state {
    std::uint64_t v0, v1, v2, v3;

    void round() noexcept
    {
        v0 += v1;
        v2 += v3;
        v1 = std::rotl(v1, 13) ^ v0;
        v3 = std::rotl(v3, 16) ^ v2;
        v0 = std::rotl(v0, 32);
        v2 += v1;
        v0 += v3;
        v1 = std::rotl(v1, 17) ^ v2;
        v3 = std::rotl(v3, 21) ^ v0;
        v2 = std::rotl(v2, 32);
    }
    void take(std::uint64_t word) noexcept
    {
        v3 ^= word;
        round();
        v0 ^= word;
    }
};

keyed_hash draw()
{
    std::array<std::uint64_t, 2> key{};
    if (RAND_bytes(reinterpret_cast<unsigned char*>(key.data()), sizeof key) != 1) throw std::runtime_error("no random bytes");
    return {key[0], key[1]};
}

}  // namespace

const keyed_hash& keyed_hash::of_process()
{
    static const keyed_hash hash = draw();
    return hash;
}

std::uint64_t keyed_hash::operator()(std::string_view bytes) const noexcept
{
    // The words are read in the machine's own order: the value never leaves the process.
    state s{first_ ^ 0x736f6d6570736575, second_ ^ 0x646f72616e646f6d, first_ ^ 0x6c7967656e657261, second_ ^ 0x7465646279746573};
    const char* p = bytes.data();
    std::size_t left = bytes.size();
    for (; left >= 8; left -= 8, p += 8) {
        std::uint64_t word = 0;
        std::memcpy(&word, p, 8);
        s.take(word);
    }
    std::uint64_t last = 0;
    if (left != 0) std::memcpy(&last, p, left);
    s.take(last | static_cast<std::uint64_t>(bytes.size()) << 56);
    s.v2 ^= 0xff;
    s.round();
    s.round();
    s.round();
    return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

}  // namespace sallyport
