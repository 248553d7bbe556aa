#include "gateway/http/incoming.hpp"

#include <algorithm>
#include <cassert>
#include <cstring>

namespace sallyport::http {
namespace {

// Behind the head there should be at least this, or the body's bytes get a block of their own.
constexpr std::size_t least_room = 2048;

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
    static_assert(sizeof(field) * max_fields <= buffer_pool::small);
    if (!fields_) fields_ = pool_->take(sizeof(field) * max_fields);
    auto complete = check_.look(bytes, reinterpret_cast<field*>(fields_.data()));
    if (!complete || !*complete) return complete;
    read_head(answers_head);
    begin_ = check_.facts().head_bytes;
    parsed_ = true;
    return true;
}

template <class Head>
void incoming<Head>::read_head(bool answers_head)
{
    const framing& facts = check_.facts();
    head_ = Head{};
    head_.fields = {reinterpret_cast<const field*>(fields_.data()), facts.fields};
    head_.minor_version = facts.minor_version;
    head_.content_length = facts.content_length;
    head_.chunked = facts.chunked;
    // RFC 9112 §9.3
    head_.keep_alive = !facts.close && (facts.minor_version >= 1 || facts.keep_alive);
    if constexpr (is_request<Head>) {
        head_.method = facts.method;
        head_.target = facts.target;
        head_.host = facts.host;
        head_.expect_continue = facts.expect_continue;
    } else {
        head_.status = facts.status;
        head_.reason = facts.reason;
        head_.no_body = answers_head || head_.status < 200 || head_.status == 204 || head_.status == 304;
        head_.until_close = !head_.no_body && !facts.chunked && !facts.content_length;
        head_.chunked = facts.chunked && !head_.no_body;
        head_.keep_alive = head_.keep_alive && !head_.until_close;
    }
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
