#include "gateway/people/attestation.hpp"

#include <cstddef>

namespace sallyport::people::webauthn {
namespace {

enum class major : std::uint8_t { positive, negative, bytes, text, array, map, tag, simple };

constexpr int deepest = 8;

// RFC 8949 §3, the definite lengths of it.
class reader {
public:
    explicit reader(std::string_view bytes) : left_(bytes) {}

    std::string_view left() const noexcept { return left_; }

    struct head {
        major type = major::simple;
        std::uint64_t argument = 0;
    };
    std::optional<head> next_head()
    {
        if (left_.empty()) return std::nullopt;
        const auto first = static_cast<std::uint8_t>(left_.front());
        left_.remove_prefix(1);
        head h{static_cast<major>(first >> 5), static_cast<std::uint64_t>(first & 31)};
        if (h.argument < 24) return h;
        if (h.argument > 27) return std::nullopt;  // reserved, or of indefinite length
        const std::size_t width = std::size_t{1} << (h.argument - 24);
        if (left_.size() < width) return std::nullopt;
        h.argument = 0;
        for (std::size_t i = 0; i < width; ++i) h.argument = h.argument << 8 | static_cast<std::uint8_t>(left_[i]);
        left_.remove_prefix(width);
        return h;
    }
    std::optional<std::string_view> string_of(major type)
    {
        const auto h = next_head();
        if (!h || h->type != type || h->argument > left_.size()) return std::nullopt;
        const auto text = left_.substr(0, static_cast<std::size_t>(h->argument));
        left_.remove_prefix(text.size());
        return text;
    }
    // The bytes of whatever comes next.
    std::optional<std::string_view> item()
    {
        const std::string_view from = left_;
        if (!skip(0)) return std::nullopt;
        return from.substr(0, from.size() - left_.size());
    }

private:
    bool skip(int depth)
    {
        const auto h = next_head();
        if (!h || depth > deepest) return false;
        switch (h->type) {
        case major::positive:
        case major::negative:
        case major::simple: return true;
        case major::bytes:
        case major::text:
            if (h->argument > left_.size()) return false;
            left_.remove_prefix(static_cast<std::size_t>(h->argument));
            return true;
        case major::tag: return skip(depth + 1);
        case major::array:
        case major::map: {
            // Each item has a byte at least: a count beyond what is left is a lie, and would be walked for ever.
            if (h->argument > left_.size()) return false;
            const std::uint64_t count = h->type == major::map ? h->argument * 2 : h->argument;
            for (std::uint64_t i = 0; i < count; ++i)
                if (!skip(depth + 1)) return false;
            return true;
        }
        }
        return false;
    }

    std::string_view left_;
};

}  // namespace

std::optional<attestation> read_attestation(std::string_view cbor)
{
    reader in(cbor);
    const auto map = in.next_head();
    if (!map || map->type != major::map || map->argument != 3) return std::nullopt;
    std::optional<std::string_view> format, statement, data;
    for (int i = 0; i < 3; ++i) {
        const auto key = in.string_of(major::text);
        if (!key) return std::nullopt;
        if (*key == "fmt" && !format)
            format = in.string_of(major::text);
        else if (*key == "attStmt" && !statement)
            statement = in.item();
        else if (*key == "authData" && !data)
            data = in.string_of(major::bytes);
        else
            return std::nullopt;
    }
    if (!format || !statement || !data || !in.left().empty()) return std::nullopt;
    if (reader(*statement).next_head()->type != major::map) return std::nullopt;
    return attestation{*format, *statement, *data};
}

std::optional<authenticator_facts> read_authenticator_data(std::string_view bytes) noexcept
{
    constexpr std::size_t hash = 32, flags = 1, counter = 4;
    if (bytes.size() < hash + flags + counter) return std::nullopt;
    const auto bits = static_cast<std::uint8_t>(bytes[hash]);
    authenticator_facts f;
    f.rp_id_hash = bytes.substr(0, hash);
    f.user_present = bits & 0x01;
    f.user_verified = bits & 0x04;
    f.backup_eligible = bits & 0x08;
    f.backed_up = bits & 0x10;
    f.attested = bits & 0x40;
    f.extensions = bits & 0x80;
    for (std::size_t i = 0; i < counter; ++i) f.sign_count = f.sign_count << 8 | static_cast<std::uint8_t>(bytes[hash + flags + i]);
    f.rest = bytes.substr(hash + flags + counter);
    return f;
}

}  // namespace sallyport::people::webauthn
