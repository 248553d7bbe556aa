// A passkey in software: says whatever a test wants it to say, over whatever it is asked.
#pragma once

#include "gateway/canonical/sha256.hpp"
#include "gateway/jose/key.hpp"
#include "workflows/encoding.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sallyport::jose::testing {

inline constexpr std::uint8_t user_present = 0x01, user_verified = 0x04, backup_eligible = 0x08, backed_up = 0x10, attested = 0x40;

/// What differs from a well-behaved answer.
struct tweak {
    std::optional<std::string> type{}, challenge{}, origin{}, rp_id{}, user_handle{}, id{};
    std::optional<std::uint8_t> flags{};
    std::optional<std::uint32_t> count{};
    boost::json::object client_data{};  // more members
    bool broken_signature = false;
    bool without_user_handle = false;
};

class authenticator {
public:
    explicit authenticator(std::string credential_id, jose::key_type type = jose::key_type::ed25519)
        : id(std::move(credential_id)),
          key(jose::private_key::generate(type).value())
    {
    }

    std::string id;
    jose::private_key key;
    std::string origin = "http://localhost:8081", rp_id = "localhost";
    std::string user_handle;
    std::uint32_t count = 0;

    /// `challenge`: base64url, as options have it.
    boost::json::object create(std::string_view challenge, const tweak& t = {}) const
    {
        const std::string data = data_of(t, user_present | user_verified | attested) + std::string(16, '\0') +
                                 static_cast<char>(id.size() >> 8) + static_cast<char>(id.size()) + id + cose_key();
        const std::string object =
            std::string("\xa3", 1) + text("fmt") + text("none") + text("attStmt") + "\xa0" + text("authData") + bytes(data);
        return message(
            t, {{"clientDataJSON", base64url(client_data("webauthn.create", challenge, t))}, {"attestationObject", base64url(object)}});
    }

    boost::json::object get(std::string_view challenge, const tweak& t = {}) const
    {
        const std::string data = data_of(t, user_present | user_verified), client = client_data("webauthn.get", challenge, t);
        std::string signature = sign(data + std::string(sha256(client).view()));
        if (t.broken_signature) signature = sign(data);
        boost::json::object response{
            {"clientDataJSON", base64url(client)}, {"authenticatorData", base64url(data)}, {"signature", base64url(signature)}};
        if (!t.without_user_handle) response["userHandle"] = base64url(t.user_handle.value_or(user_handle));
        return message(t, std::move(response));
    }

private:
    static std::string client_data(std::string_view type, std::string_view challenge, const tweak& t, std::string_view origin)
    {
        boost::json::object data{{"type", t.type.value_or(std::string(type))},
                                 {"challenge", t.challenge.value_or(std::string(challenge))},
                                 {"origin", t.origin.value_or(std::string(origin))},
                                 {"crossOrigin", false}};
        for (const auto& [name, value] : t.client_data) data[name] = value;
        return boost::json::serialize(data);
    }
    std::string client_data(std::string_view type, std::string_view challenge, const tweak& t) const
    {
        return client_data(type, challenge, t, origin);
    }

    std::string data_of(const tweak& t, unsigned flags) const
    {
        std::string data(sha256(t.rp_id.value_or(rp_id)).view());
        data += static_cast<char>(t.flags.value_or(static_cast<std::uint8_t>(flags)));
        const std::uint32_t n = t.count.value_or(count);
        for (int shift = 24; shift >= 0; shift -= 8) data += static_cast<char>(n >> shift);
        return data;
    }

    boost::json::object message(const tweak& t, boost::json::object response) const
    {
        const std::string name = base64url(t.id.value_or(id));
        return {{"type", "public-key"},
                {"id", name},
                {"rawId", name},
                {"response", std::move(response)},
                {"clientExtensionResults", boost::json::object{}}};
    }

    std::string sign(const std::string& text) const
    {
        const std::string raw = key.sign(text);
        if (key.alg() == jose::algorithm::eddsa) return raw;
        const std::string numbers = der_integer(raw.substr(0, 32)) + der_integer(raw.substr(32));  // ES256: DER, RFC 3279 §2.2.3
        return std::string("\x30") + static_cast<char>(numbers.size()) + numbers;
    }
    static std::string der_integer(std::string number)
    {
        while (number.size() > 1 && number[0] == '\0' && static_cast<unsigned char>(number[1]) < 0x80) number.erase(0, 1);
        if (static_cast<unsigned char>(number[0]) >= 0x80) number.insert(0, 1, '\0');
        return std::string("\x02") + static_cast<char>(number.size()) + number;
    }

    std::string cose_key() const  // RFC 9053 §7
    {
        const auto jwk = boost::json::parse(key.public_half().jwk()).as_object();
        const auto member = [&](const char* name) { return bytes(*read_base64url(jwk.at(name).as_string())); };
        if (key.alg() == jose::algorithm::eddsa) return std::string("\xa4\x01\x01\x03\x27\x20\x06\x21", 8) + member("x");
        return std::string("\xa5\x01\x02\x03\x26\x20\x01\x21", 8) + member("x") + "\x22" + member("y");
    }

    // CBOR, RFC 8949 §3.1.
    static std::string head(unsigned major, std::size_t size)
    {
        const auto kind = static_cast<char>(major << 5);
        if (size < 24) return std::string(1, static_cast<char>(kind | static_cast<char>(size)));
        if (size < 256) return std::string(1, static_cast<char>(kind | 24)) + static_cast<char>(size);
        return std::string(1, static_cast<char>(kind | 25)) + static_cast<char>(size >> 8) + static_cast<char>(size);
    }
    static std::string bytes(std::string_view b) { return head(2, b.size()) + std::string(b); }
    static std::string text(std::string_view t) { return head(3, t.size()) + std::string(t); }
};

}  // namespace sallyport::jose::testing
