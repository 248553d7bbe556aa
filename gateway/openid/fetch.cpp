#include "gateway/openid/fetch.hpp"

#include <curl/curl.h>

#include <algorithm>
#include <memory>

namespace sallyport::openid {
namespace {

using clock = std::chrono::steady_clock;

struct reading {
    std::string body;
    bool too_long = false;
};

std::size_t keep(char* bytes, std::size_t size, std::size_t count, void* data)
{
    auto& r = *static_cast<reading*>(data);
    const std::size_t length = size * count;
    r.too_long = r.body.size() + length > longest_answer;
    if (r.too_long) return 0;
    r.body.append(bytes, length);
    return length;
}

// libcurl counts what is decoded only; a head without end is cut here.
std::size_t count_head(char*, std::size_t size, std::size_t count, void* data)
{
    auto& left = *static_cast<std::size_t*>(data);
    const std::size_t length = size * count;
    if (length > left) return 0;
    left -= length;
    return length;
}

int stop_when_cut(void* data, curl_off_t, curl_off_t, curl_off_t, curl_off_t)
{
    return *static_cast<const std::atomic<bool>*>(data) ? 1 : 0;
}

std::string host_of(std::string_view url)
{
    const auto begin = url.find("://");
    const auto rest = url.substr(begin == std::string_view::npos ? 0 : begin + 3);
    return std::string(rest.substr(0, rest.find_first_of("/?#")));
}

struct end_handle {
    void operator()(CURL* c) const noexcept { curl_easy_cleanup(c); }
};
struct end_list {
    void operator()(curl_slist* l) const noexcept { curl_slist_free_all(l); }
};

void start_libcurl()
{
    static const bool once = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
    static_cast<void>(once);
}

// Options that hold for every question.
void set_bounds(CURL* curl, const question& q, const std::atomic<bool>& cut)
{
    using std::chrono::milliseconds;
    const auto left = std::max(std::chrono::ceil<milliseconds>(q.deadline - clock::now()), milliseconds(1));
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, q.url.starts_with("https:") ? "https" : "http");
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");  // also where the environment names one
    curl_easy_setopt(curl, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(left.count()));
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(milliseconds(connect_timeout).count()));
    curl_easy_setopt(curl, CURLOPT_MAXFILESIZE_LARGE, static_cast<curl_off_t>(longest_answer));
    curl_easy_setopt(curl, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
    if (!q.ca.empty()) {
        curl_easy_setopt(curl, CURLOPT_CAINFO, q.ca.c_str());
        curl_easy_setopt(curl, CURLOPT_CAPATH, nullptr);  // that one, not the system's too
    }
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, &stop_when_cut);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &cut);
}

failure not_answered(const question& q, CURLcode code, bool too_long, bool cut, std::string_view error)
{
    const std::string host = host_of(q.url);
    if (too_long || code == CURLE_FILESIZE_EXCEEDED)
        return fail(problem::upstream_unreachable, {}, host + " answered more than can be read");
    if (cut) return fail(problem::upstream_unreachable, {}, "the gateway stops");
    if (code == CURLE_OPERATION_TIMEDOUT) return fail(problem::upstream_timeout, {}, host + " did not answer in time");
    return fail(problem::upstream_unreachable, {}, host + ": " + std::string(error.empty() ? curl_easy_strerror(code) : error));
}

}  // namespace

result<answer> fetch(const question& q, const std::atomic<bool>& cut)
{
    start_libcurl();
    const std::unique_ptr<CURL, end_handle> handle(curl_easy_init());
    CURL* curl = handle.get();
    if (!curl) return fail(problem::internal_error, {}, "libcurl cannot be used");
    if (clock::now() >= q.deadline) return fail(problem::upstream_timeout, {}, "the provider took too long over all");

    reading read;
    std::size_t head_left = 64 << 10;
    std::string error(CURL_ERROR_SIZE, '\0');
    set_bounds(curl, q, cut);
    curl_easy_setopt(curl, CURLOPT_URL, q.url.c_str());
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, error.data());
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, &keep);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &read);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, &count_head);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, &head_left);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "Sallyport");
    if (q.form) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, q.form->reveal().data());
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(q.form->reveal().size()));
    }
    const secret authorization("Authorization: " + std::string(q.authorization.reveal()));
    curl_slist* fields = curl_slist_append(nullptr, "Accept: application/json");
    if (!q.authorization.empty()) fields = curl_slist_append(fields, authorization.reveal().data());
    const std::unique_ptr<curl_slist, end_list> owned(fields);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, fields);

    const CURLcode code = curl_easy_perform(curl);
    error.resize(error.find('\0'));
    if (code != CURLE_OK) return not_answered(q, code, read.too_long, cut, error);
    answer a;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &a.status);
    const char* type = nullptr;
    curl_easy_getinfo(curl, CURLINFO_CONTENT_TYPE, &type);
    if (type) a.media_type = type;
    a.body = std::move(read.body);
    return a;
}

}  // namespace sallyport::openid
