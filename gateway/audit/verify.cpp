#include "gateway/audit/verify.hpp"

#include "gateway/canonical/jcs.hpp"
#include "gateway/canonical/json.hpp"
#include "gateway/canonical/sha256.hpp"
#include "workflows/encoding.hpp"

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string_view>

namespace sallyport::audit {
namespace {

// Offsets and flags of authenticator data (WebAuthn Level 3, §6.1).
constexpr std::size_t shortest_authenticator_data = 37;
constexpr std::size_t flags_at = 32;
constexpr unsigned user_present = 0x01, user_verified = 0x04;

std::string_view text_of(const json::value& object, std::string_view name)
{
    const json::value* member = object.find(name);
    return member ? member->string() : std::string_view();
}

bool signed_by(std::string_view key_der, std::string_view message, std::string_view signature)
{
    const auto* bytes = reinterpret_cast<const unsigned char*>(key_der.data());
    const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(d2i_PUBKEY(nullptr, &bytes, static_cast<long>(key_der.size())),
                                                                  &EVP_PKEY_free);
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
    if (!key || !context) return false;
    const EVP_MD* hash = EVP_PKEY_get_base_id(key.get()) == EVP_PKEY_ED25519 ? nullptr : EVP_sha256();
    return EVP_DigestVerifyInit(context.get(), nullptr, hash, nullptr, key.get()) == 1 &&
           EVP_DigestVerify(context.get(), reinterpret_cast<const unsigned char*>(signature.data()), signature.size(),
                            reinterpret_cast<const unsigned char*>(message.data()), message.size()) == 1;
}

// What is wrong with the passkey's signature over the statement; empty: nothing.
std::string wrong_signature(const json::value& data, std::string_view statement)
{
    const auto authenticator = read_base64url(text_of(data, "authenticatorData"));
    const auto client = read_base64url(text_of(data, "clientDataJSON"));
    const auto signature = read_base64url(text_of(data, "signature"));
    const auto key = read_base64(text_of(data, "key"));
    if (!authenticator || !client || !signature || !key) return "its evidence is incomplete";
    const auto said = json::document::parse(*client);
    if (!said || text_of(said->root(), "type") != "webauthn.get") return "its clientDataJSON is not of an assertion";
    if (text_of(said->root(), "challenge") != sha256(statement).base64url()) return "its challenge is not the statement's SHA-256";
    if (authenticator->size() < shortest_authenticator_data) return "its authenticatorData is cut short";
    const auto flags = static_cast<unsigned char>((*authenticator)[flags_at]);
    if ((flags & user_present) == 0 || (flags & user_verified) == 0) return "its signer was not verified";
    if (!signed_by(*key, *authenticator + std::string(sha256(*client).view()), *signature)) return "its signature does not verify";
    return {};
}

class checker {
public:
    verification result;

    void look(const shown_entry& e)
    {
        ++result.entries;
        const auto data = json::document::parse(e.data);
        if (!data) return report(e, "its data is not JSON");
        if (e.kind == "verdict") {
            actions_[e.action] = {std::string(text_of(data->root(), "digest")), std::string(text_of(data->root(), "content_digest"))};
        } else if (e.kind == "decision") {
            decision(e, data->root());
        } else if (e.kind == "release") {
            ++result.releases;
            if (approved_[e.hold].empty()) report(e, "released without an approval");
        }
    }

private:
    struct known_action {
        std::string digest, content_digest;
    };

    void report(const shown_entry& e, std::string message) { result.findings.push_back({e.index, e.kind + ": " + std::move(message)}); }

    void decision(const shown_entry& e, const json::value& data)
    {
        if (data.find("refused")) return;  // an attempt: nothing was decided
        const std::string id(text_of(data, "decision"));
        if (data.find("taken_back")) {
            approved_[e.hold].erase(id);
            return;
        }
        const auto wrong = wrong_decision(e, data);
        if (!wrong.empty()) return report(e, wrong);
        ++result.decisions;
        if (text_of(data, "verdict") == "approve") approved_[e.hold].insert(id);
    }

    std::string wrong_decision(const shown_entry& e, const json::value& data)
    {
        const auto text = text_of(data, "statement");
        const auto statement = json::document::parse(text);
        if (!statement || jcs(statement->root()) != text) return "its statement is not in RFC 8785 form";
        const json::value& said = statement->root();
        const json::value* action = said.find("action");
        const json::value* approver = said.find("approver");
        if (!action || !approver) return "its statement names no action or no approver";
        if (text_of(said, "hold") != e.hold || text_of(*action, "id") != e.action || text_of(*approver, "id") != e.person ||
            text_of(said, "decision") != text_of(data, "verdict"))
            return "its statement is about something else";
        const auto known = actions_.find(e.action);
        if (known == actions_.end()) return "its action has no verdict in the log";
        if (text_of(*action, "digest") != known->second.digest || text_of(*action, "content_digest") != known->second.content_digest)
            return "its statement is bound to another action than was judged";
        if (text_of(data, "assurance") != "passkey") return {};
        if (auto wrong = wrong_signature(data, text); !wrong.empty()) return wrong;
        ++result.signatures;
        return {};
    }

    std::map<std::string, known_action, std::less<>> actions_;
    std::map<std::string, std::set<std::string>, std::less<>> approved_;  // decisions that stand, by hold
};

}  // namespace

verification verify(std::span<const shown_entry> entries)
{
    checker all;
    for (const shown_entry& e : entries) {
        if (e.index != static_cast<std::int64_t>(all.result.entries))
            all.result.findings.push_back({e.index, "an entry is missing before this one"});
        all.look(e);
    }
    return std::move(all.result);
}

}  // namespace sallyport::audit
