#include "notifiers/push_message.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/obj_mac.h>
#include <openssl/rand.h>

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <utility>

namespace sallyport::notifiers {
namespace {

constexpr std::size_t point_bytes = 65, scalar_bytes = 32, auth_bytes = 16, salt_bytes = 16;
constexpr std::size_t key_bytes = 16, nonce_bytes = 12, tag_bytes = 16, mac_bytes = 32;
constexpr std::uint32_t record_size = 4096;

template <auto release>
struct released_by {
    template <class T>
    void operator()(T* object) const noexcept
    {
        release(object);
    }
};
using bignum_owner = std::unique_ptr<BIGNUM, released_by<BN_clear_free>>;
using cipher_owner = std::unique_ptr<EVP_CIPHER_CTX, released_by<EVP_CIPHER_CTX_free>>;
using group_owner = std::unique_ptr<EC_GROUP, released_by<EC_GROUP_free>>;
using point_owner = std::unique_ptr<EC_POINT, released_by<EC_POINT_free>>;

const unsigned char* bytes_of(std::string_view s) noexcept { return reinterpret_cast<const unsigned char*>(s.data()); }
unsigned char* bytes_of(std::string& s) noexcept { return reinterpret_cast<unsigned char*>(s.data()); }
[[noreturn]] void broken(const char* what) { throw std::runtime_error(std::string("OpenSSL could not ") + what); }

group_owner curve()
{
    group_owner made(EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1));
    if (!made) broken("make a curve");
    return made;
}

// Null: no point of the curve (RFC 8291 §7: it must be checked), or the one at infinity, which the first byte rules out.
point_owner point_of(const EC_GROUP* group, std::string_view bytes)
{
    if (bytes.size() != point_bytes || bytes.front() != '\x04') return nullptr;
    point_owner point(EC_POINT_new(group));
    if (!point) broken("make a point");
    if (EC_POINT_oct2point(group, point.get(), bytes_of(bytes), bytes.size(), nullptr) != 1) return nullptr;
    return point;
}

std::string written(const EC_GROUP* group, const EC_POINT* point)
{
    std::string bytes(point_bytes, '\0');
    if (EC_POINT_point2oct(group, point, POINT_CONVERSION_UNCOMPRESSED, bytes_of(bytes), bytes.size(), nullptr) != bytes.size())
        broken("write a point");
    return bytes;
}

// Multiplies `point`, or the generator where there is none.
point_owner multiplied(const EC_GROUP* group, const EC_POINT* point, const BIGNUM* by)
{
    point_owner product(EC_POINT_new(group));
    if (!product || EC_POINT_mul(group, product.get(), point ? nullptr : by, point, point ? by : nullptr, nullptr) != 1)
        broken("multiply a point");
    return product;
}

secret mac_of(std::string_view key, std::string_view text)
{
    std::string mac(mac_bytes, '\0');
    unsigned int length = 0;
    if (!HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), bytes_of(text), text.size(), bytes_of(mac), &length))
        broken("authenticate");
    return secret(std::move(mac));
}

// HKDF with SHA-256 (RFC 5869), of which one block is enough here.
secret derived(std::string_view key, std::string_view salt, std::string_view info, std::size_t length)
{
    const secret block = mac_of(mac_of(salt, key).reveal(), std::string(info) + '\x01');
    return secret(std::string(block.reveal().substr(0, length)));
}

std::string sealed(std::string_view plain, const secret& key, const secret& nonce)
{
    const cipher_owner context(EVP_CIPHER_CTX_new());
    std::string out(plain.size() + tag_bytes, '\0');
    int written = 0, last = 0;
    if (!context || EVP_EncryptInit_ex(context.get(), EVP_aes_128_gcm(), nullptr, bytes_of(key.reveal()), bytes_of(nonce.reveal())) != 1 ||
        EVP_EncryptUpdate(context.get(), bytes_of(out), &written, bytes_of(plain), static_cast<int>(plain.size())) != 1 ||
        EVP_EncryptFinal_ex(context.get(), bytes_of(out) + written, &last) != 1 ||
        EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, static_cast<int>(tag_bytes), bytes_of(out) + plain.size()) != 1)
        broken("encrypt");
    return out;
}

bool valid_scalar(const EC_GROUP* group, const BIGNUM* n) { return !BN_is_zero(n) && BN_cmp(n, EC_GROUP_get0_order(group)) < 0; }

std::string_view title_end(const notice& n)
{
    switch (n.what) {
    case notice::kind::asked: return " waits for you";
    case notice::kind::reminded: return " still waits for you";
    case notice::kind::glass_broken: return " was approved by one person alone";
    case notice::kind::ended: break;
    }
    switch (n.status) {
    case hold_status::held:
    case hold_status::approved:
    case hold_status::releasing:
    case hold_status::released: return " was approved";
    case hold_status::denied: return " was denied";
    case hold_status::expired: return " expired";
    case hold_status::withdrawn: return " was withdrawn";
    case hold_status::undeliverable: return " was not sent";
    case hold_status::void_: return " is void";
    case hold_status::unknown: return " was sent; its outcome is not known";
    }
    return {};
}

}  // namespace

std::string push_payload(const notice& n)
{
    return boost::json::serialize(boost::json::object{{"tells", name_of(n.what)},
                                                      {"hold", n.hold.text()},
                                                      {"title", "A call of " + n.agent + std::string(title_end(n))},
                                                      {"expires_at", format_rfc3339(n.expires_at)}});
}

result<void> check_push_keys(const push_keys& keys)
{
    if (keys.auth.size() != auth_bytes) return fail(problem::invalid_input, "The subscription's auth is not 16 bytes.");
    const auto group = curve();
    if (!point_of(group.get(), keys.p256dh)) return fail(problem::invalid_input, "The subscription's p256dh is no point of P-256.");
    return {};
}

result<std::string> encrypt_push(std::string_view text, const push_keys& keys, const push_chance& drawn, std::size_t padded_to)
{
    if (const auto good = check_push_keys(keys); !good) return good.error();
    if (text.size() > longest_push_text || padded_to > longest_push_text) return fail(problem::invalid_input, "The text is too long.");
    const auto group = curve();
    const std::string_view scalar = drawn.private_key.reveal();
    const bignum_owner ours(BN_bin2bn(bytes_of(scalar), static_cast<int>(scalar.size()), nullptr));
    if (!ours) broken("read a number");
    BN_set_flags(ours.get(), BN_FLG_CONSTTIME);
    if (scalar.size() != scalar_bytes || drawn.salt.size() != salt_bytes || !valid_scalar(group.get(), ours.get()))
        return fail(problem::invalid_input, "What was drawn is no key.");

    const std::string our_point = written(group.get(), multiplied(group.get(), nullptr, ours.get()).get());
    const auto theirs = point_of(group.get(), keys.p256dh);
    const secret product(written(group.get(), multiplied(group.get(), theirs.get(), ours.get()).get()));
    const std::string_view ecdh = product.reveal().substr(1, scalar_bytes);  // its x (SEC 1 §3.3.1)

    // RFC 8291 §3.4, then RFC 8188 §2.2 and §2.3. Each info ends in a NUL.
    const std::string info = std::string("WebPush: info\0", 14) + keys.p256dh + our_point;
    const secret material = derived(ecdh, keys.auth, info, mac_bytes);
    const secret key = derived(material.reveal(), drawn.salt, {"Content-Encoding: aes128gcm\0", 28}, key_bytes);
    const secret nonce = derived(material.reveal(), drawn.salt, {"Content-Encoding: nonce\0", 24}, nonce_bytes);

    std::string plain(text);
    plain += '\x02';  // the last record (RFC 8188 §2)
    plain.resize(std::max(plain.size(), padded_to + 1), '\0');

    std::string body = drawn.salt;
    for (int shift = 24; shift >= 0; shift -= 8) body += static_cast<char>(record_size >> shift & 0xFF);
    body += static_cast<char>(point_bytes);
    body += our_point;
    return body + sealed(plain, key, nonce);
}

result<std::string> encrypt_push(std::string_view text, const push_keys& keys, std::size_t padded_to)
{
    const auto group = curve();
    for (;;) {
        std::string scalar(scalar_bytes, '\0'), salt(salt_bytes, '\0');
        if (RAND_priv_bytes(bytes_of(scalar), static_cast<int>(scalar.size())) != 1 ||
            RAND_bytes(bytes_of(salt), static_cast<int>(salt.size())) != 1)
            broken("draw random bytes");
        const push_chance drawn{secret(std::move(scalar)), std::move(salt)};
        const std::string_view bytes = drawn.private_key.reveal();
        const bignum_owner n(BN_bin2bn(bytes_of(bytes), static_cast<int>(bytes.size()), nullptr));
        if (!n) broken("read a number");
        // One in four thousand million is none.
        if (valid_scalar(group.get(), n.get())) return encrypt_push(text, keys, drawn, padded_to);
    }
}

}  // namespace sallyport::notifiers
