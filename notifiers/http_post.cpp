#include "notifiers/http_post.hpp"

#include "notifiers/public_address.hpp"

#include <curl/curl.h>
#include <openssl/crypto.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <string_view>

#include <sys/socket.h>

namespace sallyport::notifiers {
namespace {

constexpr std::size_t longest_head = 64 << 10;

struct collected {
    http_post_answer answer;
    std::size_t head = 0;
    std::size_t longest_answer = 0;
    bool drop_body = false;
    std::size_t dropped = 0;
};

std::size_t collect_body(char* bytes, std::size_t size, std::size_t count, void* into)
{
    auto& to = *static_cast<collected*>(into);
    const std::size_t length = size * count;
    if (to.drop_body) {
        to.dropped += length;
        return to.dropped > to.longest_answer ? 0 : length;
    }
    if (length > to.longest_answer - to.answer.body.size()) return 0;
    to.answer.body.append(bytes, length);
    return length;
}

int stop_when_cut(void* flag, curl_off_t, curl_off_t, curl_off_t, curl_off_t)
{
    return *static_cast<const std::atomic<bool>*>(flag) ? 1 : 0;
}

std::size_t count_head(char*, std::size_t size, std::size_t count, void* into)
{
    auto& to = *static_cast<collected*>(into);
    to.head += size * count;
    return to.head > longest_head ? 0 : size * count;
}

struct allowed {
    http_reach reach = http_reach::anywhere;
    bool refused = false;
};

// After the name was resolved: it cannot lead elsewhere any more.
curl_socket_t open_allowed(void* of, curlsocktype, curl_sockaddr* to)
{
    auto& may = *static_cast<allowed*>(of);
    const bool good = is_public(to->addr) || (may.reach == http_reach::public_or_loopback && is_loopback(to->addr));
    if (!good) {
        may.refused = true;
        return CURL_SOCKET_BAD;
    }
    return ::socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

class header_list {
public:
    header_list() = default;
    header_list(const header_list&) = delete;
    header_list& operator=(const header_list&) = delete;
    ~header_list()
    {
        for (const curl_slist* each = all_; each != nullptr; each = each->next)
            OPENSSL_cleanse(each->data, std::strlen(each->data));  // a token
        curl_slist_free_all(all_);
    }

    bool add(const char* line)
    {
        curl_slist* const longer = curl_slist_append(all_, line);
        if (longer != nullptr) all_ = longer;
        return longer != nullptr;
    }
    curl_slist* get() const noexcept { return all_; }

private:
    curl_slist* all_ = nullptr;
};

// A line break would begin another field.
bool on_one_line(std::string_view text) noexcept
{
    return std::none_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
}

}  // namespace

std::variant<http_post_answer, no_http_answer> http_post(const http_post_request& request)
{
    static const CURLcode ready = curl_global_init(CURL_GLOBAL_DEFAULT);
    const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> curl(ready == CURLE_OK ? curl_easy_init() : nullptr, &curl_easy_cleanup);
    if (!curl) return no_http_answer{"libcurl cannot be used."};

    if (!on_one_line(request.bearer.reveal())) return no_http_answer{"the token holds a control character."};
    header_list headers;
    bool all = headers.add(("Content-Type: " + request.content_type).c_str()) && headers.add("Expect:");
    if (!request.bearer.empty()) {
        std::string line = "Authorization: Bearer ";
        line.reserve(line.size() + request.bearer.reveal().size());  // no copy is left where it grows
        line += request.bearer.reveal();
        all = all && headers.add(line.c_str());
        OPENSSL_cleanse(line.data(), line.size());
    }
    for (const std::string& line : request.headers) all = all && on_one_line(line) && headers.add(line.c_str());
    if (!all) return no_http_answer{"the request's header fields cannot be made."};

    collected got;
    got.longest_answer = request.longest_answer;
    got.drop_body = request.drop_body;
    std::string error(CURL_ERROR_SIZE, '\0');
    curl_easy_setopt(curl.get(), CURLOPT_URL, request.url.c_str());
    curl_easy_setopt(curl.get(), CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl.get(), CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    curl_easy_setopt(curl.get(), CURLOPT_PROXY, "");
    curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDS, request.body.data());
    curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    curl_easy_setopt(curl.get(), CURLOPT_HTTPHEADER, headers.get());
    curl_easy_setopt(curl.get(), CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl.get(), CURLOPT_QUICK_EXIT, 1L);  // nobody waits for a name server that says nothing
    curl_easy_setopt(curl.get(), CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(request.connect_timeout.count()));
    curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT_MS, static_cast<long>(request.timeout.count()));
    curl_easy_setopt(curl.get(), CURLOPT_ERRORBUFFER, error.data());
    curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, &collect_body);
    curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &got);
    curl_easy_setopt(curl.get(), CURLOPT_HEADERFUNCTION, &count_head);
    curl_easy_setopt(curl.get(), CURLOPT_HEADERDATA, &got);
    allowed may{request.reach};
    if (request.reach != http_reach::anywhere) {
        curl_easy_setopt(curl.get(), CURLOPT_OPENSOCKETFUNCTION, &open_allowed);
        curl_easy_setopt(curl.get(), CURLOPT_OPENSOCKETDATA, &may);
    }
    if (request.cut != nullptr) {
        curl_easy_setopt(curl.get(), CURLOPT_NOPROGRESS, 0L);
        curl_easy_setopt(curl.get(), CURLOPT_XFERINFOFUNCTION, &stop_when_cut);
        // libcurl takes a pointer to what may be changed; it is only read.
        curl_easy_setopt(curl.get(), CURLOPT_XFERINFODATA, request.cut);
    }
    if (!request.ca_file.empty()) {
        curl_easy_setopt(curl.get(), CURLOPT_CAINFO, request.ca_file.c_str());
        curl_easy_setopt(curl.get(), CURLOPT_CAPATH, nullptr);
    }

    const CURLcode code = curl_easy_perform(curl.get());
    const bool body_cut_short = code == CURLE_WRITE_ERROR && got.dropped > got.longest_answer;
    if (code == CURLE_WRITE_ERROR && !body_cut_short) return no_http_answer{"the answer is longer than is read."};
    if (code == CURLE_ABORTED_BY_CALLBACK) return no_http_answer{"the gateway stops."};
    if (code != CURLE_OK && !body_cut_short) {
        if (may.refused) return no_http_answer{"its name leads to no public address."};
        if (request.url_is_secret) error.clear();
        error.resize(std::min(error.find('\0'), error.size()));
        return no_http_answer{(error.empty() ? std::string(curl_easy_strerror(code)) : error) + '.'};
    }
    curl_off_t retry_after = 0;
    curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &got.answer.status);
    curl_easy_getinfo(curl.get(), CURLINFO_RETRY_AFTER, &retry_after);
    got.answer.retry_after = retry_after;
    return std::move(got.answer);
}

}  // namespace sallyport::notifiers
