#include "gateway/http/incoming.hpp"

#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/impl/basic_parser.ipp>

#include <algorithm>
#include <cassert>
#include <cstring>
#include <limits>
#include <new>

namespace sallyport::http {
namespace {

namespace beast = boost::beast;

// Behind the head there should be at least this, or the body's bytes get a block of their own.
constexpr std::size_t least_room = 2048;

std::string_view plain(beast::string_view text) noexcept { return {text.data(), text.size()}; }

// Beast's parser does not build a message here: what it finds stays where it is, in the owner's block.
template <bool IsRequest>
class view_parser final : public beast::http::basic_parser<IsRequest> {
public:
    using head_type = std::conditional_t<IsRequest, request_head, response_head>;

    view_parser(head_type& head, field* fields) noexcept : head_(head), fields_(fields)
    {
        this->body_limit(boost::none);
        this->header_limit(std::numeric_limits<std::uint32_t>::max());  // the framing check has counted
    }
    std::size_t count() const noexcept { return count_; }

private:
    void on_request_impl(beast::http::verb, beast::string_view method, beast::string_view target, int version, beast::error_code&) override
    {
        if constexpr (IsRequest) {
            head_.method = plain(method);
            head_.target = plain(target);
            head_.minor_version = static_cast<std::uint8_t>(version % 10);
        }
    }
    void on_response_impl(int status, beast::string_view reason, int version, beast::error_code&) override
    {
        if constexpr (!IsRequest) {
            head_.status = status;
            head_.reason = plain(reason);
            head_.minor_version = static_cast<std::uint8_t>(version % 10);
        }
    }
    void on_field_impl(beast::http::field which, beast::string_view name, beast::string_view value, beast::error_code& error) override
    {
        if (count_ == max_fields) {
            error = beast::http::error::header_limit;
            return;
        }
        new (fields_ + count_++) field{plain(name), plain(value)};
        if constexpr (IsRequest) {
            if (which == beast::http::field::host)
                head_.host = plain(value);
            else if (which == beast::http::field::expect)
                head_.expect_continue = equals_ignoring_case(plain(value), "100-continue");
        }
    }
    void on_header_impl(beast::error_code&) override {}
    // Bodies are not this parser's: it is given the head alone.
    void on_body_init_impl(const boost::optional<std::uint64_t>&, beast::error_code&) override {}
    std::size_t on_body_impl(beast::string_view, beast::error_code& error) override { return not_here(error); }
    void on_chunk_header_impl(std::uint64_t, beast::string_view, beast::error_code& error) override { not_here(error); }
    std::size_t on_chunk_body_impl(std::uint64_t, beast::string_view, beast::error_code& error) override { return not_here(error); }
    void on_finish_impl(beast::error_code&) override {}

    static std::size_t not_here(beast::error_code& error)
    {
        error = beast::http::error::unexpected_body;
        return 0;
    }

    head_type& head_;
    field* fields_;
    std::size_t count_ = 0;
};

template <class Head>
constexpr bool is_request = std::is_same_v<Head, request_head>;

}  // namespace

template <class Head>
incoming<Head>::incoming(buffer_pool& pool, std::size_t header_limit) noexcept
    : pool_(&pool),
      header_limit_(header_limit),
      check_(header_limit)
{
}

template <class Head>
void incoming<Head>::move_rest(block to)
{
    const std::string_view bytes = rest();
    assert(bytes.size() <= to.size());
    std::memcpy(to.data(), bytes.data(), bytes.size());
    end_ = bytes.size();
    begin_ = 0;
    (parsed_ ? beside_ : main_) = std::move(to);
}

template <class Head>
void incoming<Head>::restore()
{
    if (!kept_) return;
    block to = pool_->take(end_);
    std::memcpy(to.data(), kept_.get(), end_);
    kept_.reset();
    main_ = std::move(to);
}

template <class Head>
std::span<char> incoming<Head>::room(std::size_t wanted)
{
    restore();
    if (!parsed_) {
        if (begin_ == end_) begin_ = end_ = 0;  // a body that goes on after its head was released
        if (!main_)
            main_ = pool_->take(buffer_pool::small);
        else if (end_ == main_.size())
            move_rest(pool_->take(main_.size() * 2));  // parse() refuses before this exceeds the limit by much
        return {main_.data() + end_, main_.size() - end_};
    }
    const std::size_t need = std::min(std::max(wanted, std::size_t{1}), least_room);
    if (beside_) {
        if (begin_ == end_) begin_ = end_ = 0;
        if (beside_.size() - end_ < need) move_rest(pool_->take(std::max(buffer_pool::large, rest().size() + need)));
        return {beside_.data() + end_, beside_.size() - end_};
    }
    // All that is behind the head is consumed: its room is free again.
    if (begin_ == end_) begin_ = end_ = check_.facts().head_bytes;
    const std::size_t behind = main_.size() - end_;
    if (behind < need || (behind < wanted && wanted > buffer_pool::small))
        move_rest(pool_->take(std::max(buffer_pool::large, rest().size() + need)));
    block& where = beside_ ? beside_ : main_;
    return {where.data() + end_, where.size() - end_};
}

template <class Head>
void incoming<Head>::received(std::size_t bytes) noexcept
{
    end_ += bytes;
    assert(end_ <= (beside_ ? beside_ : main_).size());
}

template <class Head>
result<bool> incoming<Head>::parse(bool answers_head)
{
    assert(!parsed_);
    restore();
    const std::string_view bytes{main_.data(), end_};
    auto complete = check_.look(bytes);
    if (!complete || !*complete) return complete;
    // The check has found the head sound; a parser that disagrees with it is one of two readings, so neither is taken.
    if (const std::string_view why = read_head(bytes.substr(0, check_.facts().head_bytes), answers_head); !why.empty())
        return fail(problem::malformed_request, "the head cannot be parsed", std::string(why));
    begin_ = check_.facts().head_bytes;
    parsed_ = true;
    return true;
}

// Empty, or what went wrong.
template <class Head>
std::string_view incoming<Head>::read_head(std::string_view bytes, bool answers_head)
{
    const framing& facts = check_.facts();
    static_assert(sizeof(field) * max_fields <= buffer_pool::small);
    fields_ = pool_->take(sizeof(field) * max_fields);
    auto* const fields = reinterpret_cast<field*>(fields_.data());
    head_ = Head{};
    view_parser<is_request<Head>> parser(head_, fields);
    beast::error_code error;
    const std::size_t used = parser.put(boost::asio::const_buffer(bytes.data(), bytes.size()), error);
    if (error) return "refused by the parser";
    if (used != bytes.size() || !parser.is_header_done()) return "the head ends elsewhere for the parser";
    if (parser.count() != facts.fields || head_.minor_version != facts.minor_version) return "the parser counts otherwise";
    head_.fields = {fields, parser.count()};
    head_.content_length = facts.content_length;
    head_.chunked = facts.chunked;
    if constexpr (is_request<Head>) {
        if (parser.chunked() != facts.chunked || parser.content_length().has_value() != facts.content_length.has_value() ||
            (facts.content_length && *parser.content_length() != *facts.content_length))
            return "the parser frames otherwise";
        head_.keep_alive = parser.keep_alive();
    } else {
        head_.no_body = answers_head || head_.status < 200 || head_.status == 204 || head_.status == 304;
        head_.until_close = !head_.no_body && !facts.chunked && !facts.content_length;
        if (head_.no_body) {
            head_.chunked = false;
        } else if (parser.chunked() != facts.chunked || parser.need_eof() != head_.until_close) {
            return "the parser frames otherwise";
        }
        bool close = false, keep = false;
        for (const field& one : head_.fields)
            if (equals_ignoring_case(one.name, "connection")) {
                close = close || list_has(one.value, "close");
                keep = keep || list_has(one.value, "keep-alive");
            }
        head_.keep_alive = !head_.until_close && !close && (head_.minor_version >= 1 || keep);
    }
    return {};
}

template <class Head>
const Head& incoming<Head>::head() const noexcept
{
    assert(parsed_);
    return head_;
}

template <class Head>
std::string_view incoming<Head>::rest() const noexcept
{
    if (kept_) return {kept_.get(), end_};
    return {(beside_ ? beside_ : main_).data() + begin_, end_ - begin_};
}

template <class Head>
void incoming<Head>::consume(std::size_t bytes)
{
    assert(bytes <= rest().size());
    restore();
    begin_ += bytes;
}

template <class Head>
void incoming<Head>::next()
{
    restore();
    const std::string_view bytes = rest();
    parsed_ = false;
    head_ = Head{};
    fields_.reset();
    check_ = check(header_limit_);
    if (bytes.empty()) {
        main_.reset();
    } else if (beside_) {
        main_ = std::move(beside_);
        std::memmove(main_.data(), main_.data() + begin_, bytes.size());
    } else {
        std::memmove(main_.data(), bytes.data(), bytes.size());
    }
    beside_.reset();
    end_ = bytes.size();
    begin_ = 0;
}

template <class Head>
void incoming<Head>::release()
{
    if (kept_) return;
    const std::string_view bytes = rest();
    std::unique_ptr<char[]> keep;
    if (!bytes.empty()) {
        keep = std::make_unique<char[]>(bytes.size());
        std::memcpy(keep.get(), bytes.data(), bytes.size());
    }
    end_ = bytes.size();
    begin_ = 0;
    kept_ = std::move(keep);
    main_.reset();
    beside_.reset();
    fields_.reset();
    parsed_ = false;
    head_ = Head{};
    check_ = check(header_limit_);
}

template class incoming<request_head>;
template class incoming<response_head>;

}  // namespace sallyport::http
