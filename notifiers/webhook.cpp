#include "notifiers/webhook.hpp"

#include "notifiers/retry_after.hpp"
#include "workflows/encoding.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <httplib.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

namespace sallyport::notifiers {
namespace {

constexpr std::string_view encoded_secret = "whsec_";
constexpr std::size_t longest_answer = 64 << 10;  // read and forgotten

boost::json::value time_or_null(const std::optional<time_point>& at)
{
    return at ? boost::json::value(format_rfc3339(*at)) : boost::json::value(nullptr);
}

boost::json::array texts(const std::vector<std::string>& all)
{
    boost::json::array list;
    for (const std::string& one : all) list.emplace_back(one);
    return list;
}

delivery of_status(int status, std::string_view retry)
{
    if (status >= 200 && status < 300) return delivered{};
    not_delivered why{status == 410 ? not_delivered::kind::address : not_delivered::kind::later, "answered " + std::to_string(status), {}};
    why.not_before = retry_after(retry);
    return why;
}

}  // namespace

std::string webhook_body(const notice& n)
{
    boost::json::array reasons;
    for (const notice_reason& r : n.reasons) reasons.push_back(boost::json::object{{"rule", r.rule}, {"summary", r.summary}});
    return boost::json::serialize(boost::json::object{
        {"type", "hold." + std::string(name_of(n.what))},
        {"timestamp", format_rfc3339(n.closed_at.value_or(n.created_at))},
        {"data", boost::json::object{
                     {"hold", n.hold.text()},
                     {"action", n.action.text()},
                     {"status", name_of(n.status)},
                     {"reasons", std::move(reasons)},
                     {"agent", n.agent},
                     {"owner", n.owner},
                     {"route", n.route},
                     {"request", boost::json::object{{"method", n.method}, {"authority", n.authority}, {"target", n.target}}},
                     {"workflows", texts(n.workflows)},
                     {"approvals", boost::json::object{{"needed", n.approvals_needed}, {"given", n.approvals_given}}},
                     {"created_at", format_rfc3339(n.created_at)},
                     {"expires_at", format_rfc3339(n.expires_at)},
                     {"closed_at", time_or_null(n.closed_at)},
                     {"decided_by", texts(n.decided_by)},
                     {"reason", n.reason.empty() ? boost::json::value(nullptr) : boost::json::value(n.reason)},
                     {"upstream_status", n.upstream_status ? boost::json::value(*n.upstream_status) : boost::json::value(nullptr)},
                     {"link", n.link},
                 }}});
}

std::optional<std::string> webhook_signature(const secret& key, std::string_view id, std::string_view timestamp, std::string_view body)
{
    std::string_view text = key.reveal();
    secret decoded;
    if (text.starts_with(encoded_secret)) {
        auto bytes = read_base64(text.substr(encoded_secret.size()));
        if (!bytes || bytes->empty()) return std::nullopt;
        decoded = secret(std::move(*bytes));
        text = decoded.reveal();
    }
    std::string signed_text;
    signed_text.append(id).append(1, '.').append(timestamp).append(1, '.').append(body);
    std::array<unsigned char, EVP_MAX_MD_SIZE> mac{};
    unsigned int length = 0;
    if (!HMAC(EVP_sha256(), text.data(), static_cast<int>(text.size()), reinterpret_cast<const unsigned char*>(signed_text.data()),
              signed_text.size(), mac.data(), &length))
        return std::nullopt;
    return "v1," + base64({reinterpret_cast<const char*>(mac.data()), length});
}

// One that runs, known to `cut`.
class webhook::request {
public:
    request(webhook& of, const std::string& origin) : client(origin), of_(of)
    {
        const std::lock_guard lock(of_.mutex_);
        if (of_.cut_) return;
        allowed = true;
        of_.running_.push_back(this);
    }
    ~request()
    {
        const std::lock_guard lock(of_.mutex_);
        std::erase(of_.running_, this);
    }
    request(const request&) = delete;
    request& operator=(const request&) = delete;

    httplib::Client client;
    bool allowed = false;

private:
    webhook& of_;
};

webhook::webhook(webhook_options options) : options_(std::move(options))
{
    const std::string& url = options_.url;
    const auto path = url.find('/', url.find("://") + 3);
    origin_ = url.substr(0, path);
    path_ = path == std::string::npos ? "/" : url.substr(path);
}

webhook::~webhook() = default;

void webhook::cut() noexcept
{
    const std::lock_guard lock(mutex_);
    cut_ = true;
    for (request* one : running_) one->client.stop();
}

delivery webhook::deliver(const notice& n)
{
    const auto key = options_.signing_secret();
    if (!key) return not_delivered{not_delivered::kind::later, "its secret cannot be read: " + key.error().detail, {}};
    const std::string body = webhook_body(n);
    const std::string timestamp = std::to_string(std::chrono::duration_cast<std::chrono::seconds>(n.told_at.time_since_epoch()).count());
    const auto signature = webhook_signature(*key, n.key, timestamp, body);
    if (!signature) return not_delivered{not_delivered::kind::later, "its secret is not whsec_ and base64", {}};

    request running(*this, origin_);
    if (!running.allowed) return not_delivered{not_delivered::kind::later, "the gateway stops", {}};
    running.client.set_follow_location(false);
    running.client.set_connection_timeout(options_.connect_timeout);
    running.client.set_read_timeout(options_.answer_timeout);
    running.client.set_write_timeout(options_.answer_timeout);
    httplib::Request post;
    post.method = "POST";
    post.path = path_;
    post.body = body;
    post.set_header("Content-Type", "application/json");
    post.set_header("User-Agent", "Sallyport");
    post.set_header("webhook-id", n.key);
    post.set_header("webhook-timestamp", timestamp);
    post.set_header("webhook-signature", *signature);
    std::size_t read = 0;
    post.content_receiver = [&read](const char*, std::size_t size, std::uint64_t, std::uint64_t) {
        read += size;
        return read <= longest_answer;
    };
    int status = 0;
    std::string retry;
    post.response_handler = [&](const httplib::Response& head) {
        status = head.status;
        retry = head.get_header_value("Retry-After");
        return true;
    };
    const auto answered = running.client.send(post);
    if (answered) return of_status(answered->status, answered->get_header_value("Retry-After"));
    // The head says it all; how its body ends does not matter.
    if (status != 0) return of_status(status, retry);
    return not_delivered{not_delivered::kind::later, "not reached: " + httplib::to_string(answered.error()), {}};
}

}  // namespace sallyport::notifiers
