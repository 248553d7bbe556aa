#include "gateway/release/payload.hpp"

#include <cstdint>
#include <cstring>

namespace sallyport::release {
namespace {

constexpr char version = 1;
constexpr const char* length_field = "content-length";

void put(std::string& out, std::string_view text)
{
    const auto length = static_cast<std::uint32_t>(text.size());
    for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(length >> shift);
    out += text;
}

std::string encode(const header_values& headers, std::string_view body)
{
    std::string out(1, version);
    out.reserve(body.size() + 64 + headers.size() * 48);
    put(out, std::to_string(headers.size()));
    for (const auto& [name, value] : headers) {
        put(out, name);
        put(out, value);
    }
    put(out, body);
    return out;
}

struct reader {
    std::string_view left;
    bool whole = true;

    std::string_view text()
    {
        if (left.size() < 4) return broken();
        std::uint32_t length = 0;
        for (std::size_t i = 0; i < 4; ++i) length = length << 8 | static_cast<unsigned char>(left[i]);
        if (left.size() - 4 < length) return broken();
        const auto taken = left.substr(4, length);
        left.remove_prefix(4 + length);
        return taken;
    }

private:
    std::string_view broken()
    {
        whole = false;
        left = {};
        return {};
    }
};

failure damaged(std::string cause) { return fail(problem::internal_error, "What was stored cannot be read.", std::move(cause)); }

result<void> decode(std::string_view bytes, header_values& headers, std::string& body)
{
    if (bytes.empty() || bytes.front() != version) return damaged("payload of another version");
    reader in{bytes.substr(1)};
    const std::size_t count = std::strtoull(std::string(in.text()).c_str(), nullptr, 10);
    if (count > 10'000) return damaged("payload with too many fields");
    for (std::size_t i = 0; i < count && in.whole; ++i) {
        std::string name(in.text());
        headers.emplace_back(std::move(name), in.text());
    }
    body = in.text();
    if (!in.whole || !in.left.empty()) return damaged("payload cut short");
    return {};
}

std::string associated_action(action_id id) { return "action:" + id.text(); }
std::string associated_answer(hold_id id) { return "answer:" + id.text(); }

}  // namespace

std::string seal_payload(const keyring& keys, const action& a) { return keys.seal(encode(a.headers, a.body), associated_action(a.id)); }

result<action> open_action(const keyring& keys, const storage::action_record& record)
{
    const auto plain = keys.open(record.sealed_payload, associated_action(record.id));
    if (!plain) return plain.error();
    action a;
    a.id = record.id;
    a.agent = record.agent;
    a.route = record.route;
    a.method = record.method;
    a.authority = record.authority;
    a.target = record.target;
    if (!record.content_digest.empty()) a.content_digest = record.content_digest;
    if (const auto read = decode(*plain, a.headers, a.body); !read) return read.error();
    if (action_digest(a).base64url() != record.digest) return damaged("action " + record.id.text() + " has another digest than its record");
    return a;
}

// The length of a body that is not there is kept as the field that it came in: a release that looks for it among the
// fields finds nothing wrong, for what frames an answer is written anew.
storage::kept_response seal_answer(const keyring& keys, hold_id hold, const answer& a, time_point expires_at)
{
    std::string plain;
    if (a.declared_length) {
        header_values headers = a.headers;
        headers.emplace_back(length_field, std::to_string(*a.declared_length));
        plain = encode(headers, a.body);
    } else {
        plain = encode(a.headers, a.body);
    }
    return {hold, a.status, "[]", keys.seal(plain, associated_answer(hold)), expires_at};
}

result<answer> open_answer(const keyring& keys, const storage::kept_response& kept)
{
    const auto plain = keys.open(kept.sealed_body, associated_answer(kept.hold));
    if (!plain) return plain.error();
    answer a;
    a.status = kept.status;
    if (const auto read = decode(*plain, a.headers, a.body); !read) return read.error();
    if (!a.headers.empty() && a.headers.back().first == length_field) {
        a.declared_length = std::strtoull(a.headers.back().second.c_str(), nullptr, 10);
        a.headers.pop_back();
    }
    return a;
}

}  // namespace sallyport::release
