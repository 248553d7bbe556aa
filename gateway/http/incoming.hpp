// The bytes that arrive on a connection, and the head that was parsed from them. Head and fields are views into these
// bytes, so one type owns both: a byte that a head refers to never moves while that head is there.
#pragma once

#include "gateway/http/buffers.hpp"
#include "gateway/http/framing.hpp"
#include "gateway/http/head.hpp"
#include "workflows/result.hpp"

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>
#include <type_traits>

namespace sallyport::http {

/// For `request_head` (a server's side) and `response_head` (a client's). Life of a message:
///
///     while (!parse()) received(read_some(room()));   // the head
///     head(); rest(); consume(n); room(); received(n)  // the body's bytes, behind the head
///     next();                                          // forgets the head; what was not consumed is the next message's
template <class Head>
class incoming {
public:
    /// `header_limit`: bytes of a head; more is refused.
    incoming(buffer_pool& pool, std::size_t header_limit) noexcept;
    ~incoming();
    incoming(const incoming&) = delete;
    incoming& operator=(const incoming&) = delete;

    /// Where the next bytes may be put; never empty. While a head is there this may move what `rest()` showed, and if all
    /// of that is consumed, reuses its room; `wanted` is how much the caller could use.
    std::span<char> room(std::size_t wanted = 0);
    void received(std::size_t bytes) noexcept;

    /// True: `head()` is there. False: more bytes are needed. A failure stays: answer and close.
    /// `answers_head`: the response is one to HEAD, and has no body whatever its fields say.
    result<bool> parse(bool answers_head = false);
    bool has_head() const noexcept { return parsed_; }
    const Head& head() const noexcept;

    /// What arrived behind the head (or, without one, at all) and was not consumed; until the next call of `room`,
    /// `received`, `next` or `release`.
    std::string_view rest() const noexcept;
    void consume(std::size_t bytes) noexcept;
    /// The room behind the head in the head's own block, counted from where `rest()` begins: a body that fits lies beside its head.
    std::size_t room_beside_head() const noexcept;

    /// Forgets the head and what was consumed. Without further bytes every block goes back to the pool.
    void next();
    /// Gives all blocks back, also the head's; what was not consumed is kept in just the memory that it needs.
    void release();
    /// Nothing at all is kept.
    bool empty() const noexcept { return !main_ && !kept_; }

private:
    using check = std::conditional_t<std::is_same_v<Head, request_head>, request_framing, response_framing>;
    void restore();

    buffer_pool* pool_;
    std::size_t header_limit_;
    block main_;                       // the head, and behind it the body's bytes unless there is
    block beside_;                     // a block for the body's bytes alone
    block fields_;                     // max_fields of `field`
    std::size_t begin_ = 0, end_ = 0;  // of what is not consumed, in beside_ if there is one, else in main_
    std::unique_ptr<char[]> kept_;     // after release(): end_ bytes
    check check_;
    Head head_{};
    bool parsed_ = false;
};

extern template class incoming<request_head>;
extern template class incoming<response_head>;

}  // namespace sallyport::http
