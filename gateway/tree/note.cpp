#include "gateway/tree/note.hpp"

#include "gateway/canonical/sha256.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <charconv>
#include <memory>

namespace sallyport::tree {
namespace {

constexpr char ed25519_type = 0x01;
constexpr std::size_t key_bytes = 32, id_bytes = 4, signature_bytes = 64;
constexpr std::string_view dash = "\xe2\x80\x94 ";

bool valid_name(std::string_view name)
{
    // Spaces of Unicode are beyond ASCII, of which our names are.
    return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) { return c > 0x20 && c < 0x7f && c != '+'; });
}

std::string key_id(const verifier& v)
{
    std::string all = v.name;
    all += '\n';
    all += ed25519_type;
    all += v.key;
    return std::string(sha256(all).view().substr(0, id_bytes));
}

bool signed_by(std::string_view key, std::string_view message, std::string_view signature)
{
    const auto bytes = [](std::string_view s) { return reinterpret_cast<const unsigned char*>(s.data()); };
    const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> public_key(
        EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, bytes(key), key.size()), &EVP_PKEY_free);
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
    return public_key && context && EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, public_key.get()) == 1 &&
           EVP_DigestVerify(context.get(), bytes(signature), signature.size(), bytes(message), message.size()) == 1;
}

// Up to the next `end`, which is taken too; none without one.
std::optional<std::string_view> take_until(std::string_view& left, char end)
{
    const auto at = left.find(end);
    if (at == std::string_view::npos) return std::nullopt;
    const auto taken = left.substr(0, at);
    left.remove_prefix(at + 1);
    return taken;
}

}  // namespace

std::string verifier::vkey() const { return name + '+' + hex(key_id(*this)) + '+' + base64(ed25519_type + key); }

std::optional<verifier> verifier::parse(std::string_view vkey)
{
    std::string_view left = vkey;
    verifier read;
    const auto name = take_until(left, '+');
    const auto id = take_until(left, '+');
    if (!name || !id || !valid_name(*name)) return std::nullopt;
    const auto typed = read_base64(left);
    if (!typed || typed->size() != 1 + key_bytes || typed->front() != ed25519_type) return std::nullopt;
    read.name = *name;
    read.key = typed->substr(1);
    if (read.vkey() != vkey) return std::nullopt;
    return read;
}

std::string checkpoint::text() const { return origin + '\n' + std::to_string(size) + '\n' + root.base64() + '\n'; }

std::optional<checkpoint> checkpoint::parse(std::string_view text)
{
    std::string_view left = text;
    checkpoint read;
    const auto origin = take_until(left, '\n');
    const auto size = take_until(left, '\n');
    const auto root = take_until(left, '\n');
    if (!origin || origin->empty() || !size || !root || !left.empty()) return std::nullopt;
    const auto bytes = read_base64(*root);
    const auto hash = bytes ? digest::from_bytes(*bytes) : std::nullopt;
    if (!hash || std::from_chars(size->data(), size->data() + size->size(), read.size).ec != std::errc{}) return std::nullopt;
    read.origin = *origin;
    read.root = *hash;
    if (read.text() != text) return std::nullopt;  // a size written in another way
    return read;
}

std::string sign_note(std::string_view text, const verifier& who, const signer& sign)
{
    std::string note(text);
    note += '\n';
    note += dash;
    note += who.name;
    note += ' ';
    append_base64(note, key_id(who) + sign(text));
    note += '\n';
    return note;
}

std::optional<std::string> open_note(std::string_view note, const verifier& who)
{
    const auto blank = note.rfind("\n\n");
    if (blank == std::string_view::npos) return std::nullopt;
    const auto text = note.substr(0, blank + 1);
    std::string_view left = note.substr(blank + 2);
    if (!left.starts_with(dash)) return std::nullopt;
    left.remove_prefix(dash.size());
    const auto name = take_until(left, ' ');
    const auto coded = take_until(left, '\n');
    if (name != who.name || !coded || !left.empty()) return std::nullopt;
    const auto bytes = read_base64(*coded);
    if (!bytes || bytes->size() != id_bytes + signature_bytes || !bytes->starts_with(key_id(who))) return std::nullopt;
    if (!signed_by(who.key, text, std::string_view(*bytes).substr(id_bytes))) return std::nullopt;
    return std::string(text);
}

}  // namespace sallyport::tree
