// Tokens that verified, remembered by one core until they expire or anything about agents or keys changes: verifying
// costs a thousand times what finding does (blueprint, "Fast path"). No lock: a core's own.
#pragma once

#include "gateway/identity/access_token.hpp"
#include "workflows/time.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::identity {

class token_cache {
public:
    /// `sets` times four tokens, a power of two; the one that was used longest ago makes room.
    explicit token_cache(std::size_t sets = 2048);

    /// Null when it is not there, has expired, or was verified before `version`.
    std::shared_ptr<const claims> find(std::string_view token, std::uint64_t version, time_point now) noexcept;
    std::shared_ptr<const claims> remember(std::string_view token, std::uint64_t version, claims);

private:
    static constexpr std::size_t ways = 4;
    struct entry {
        std::string token;
        std::uint64_t version = 0;
        std::uint64_t used = 0;
        std::shared_ptr<const identity::claims> claims;
    };
    struct set {
        std::array<std::unique_ptr<entry>, ways> entries;
    };
    set& set_of(std::string_view token) noexcept;

    std::vector<set> sets_;
    std::uint64_t clock_ = 0;
};

}  // namespace sallyport::identity
