#include "gateway/canonical/content_digest.hpp"

#include "gateway/canonical/sha256.hpp"

namespace sallyport {
namespace {

constexpr std::string_view before = "sha-256=:";
constexpr std::string_view after = ":";

}  // namespace

std::string content_digest(std::string_view content) { return content_digest(sha256(content)); }

std::string content_digest(const digest& d)
{
    std::string text;
    text.reserve(before.size() + 44 + after.size());
    text += before;
    append_base64(text, d.view());
    text += after;
    return text;
}

std::optional<digest> read_content_digest(std::string_view text)
{
    if (text.size() != before.size() + 44 + after.size() || !text.starts_with(before) || !text.ends_with(after)) return std::nullopt;
    const auto bytes = read_base64(text.substr(before.size(), 44));
    return bytes ? digest::from_bytes(*bytes) : std::nullopt;
}

std::string_view content_digest_of_nothing() noexcept { return "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:"; }

}  // namespace sallyport
