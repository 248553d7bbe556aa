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

/// For `request_head` (a server's side) and `response_head` (a client's). The life of a message:
///
///     while (!parse()) received(read_some(room()));    // its head
///     head(); rest(); consume(n); room(); received(n)  // its body's bytes, which lie behind the head
///     next();                                          // forgets both; what was not consumed belongs to the next message
template <class Head>
class incoming {
public:
    /// `header_limit`: bytes of a head; more is refused. The pool outlives it.
    incoming(buffer_pool& pool, std::size_t header_limit) noexcept;
    incoming(const incoming&) = delete;
    incoming& operator=(const incoming&) = delete;

    /// Where the next bytes may be put; never empty. Ends what `rest()` gave: with a head there, bytes behind it may move to
    /// make room for the `wanted` ones (a hint), the head does not.
    std::span<char> room(std::size_t wanted = 0);
    void received(std::size_t bytes) noexcept;

    /// True: `head()` is there. False: more bytes are needed. A failure is final: answer and close.
    /// `answers_head`: the response is one to HEAD, and has no body whatever its fields say.
    result<bool> parse(bool answers_head = false);
    bool has_head() const noexcept { return parsed_; }
    const Head& head() const noexcept;

    /// What arrived and was not consumed: behind the head, or without one at all. Until the next call of `room`, `next` or
    /// `release`; `consume` shortens it from the front.
    std::string_view rest() const noexcept;
    void consume(std::size_t bytes);
    /// How long `rest()` can grow while it stays beside its head, in one piece.
    std::size_t capacity_beside_head() const noexcept { return beside_ ? 0 : main_.size() - begin_; }

    /// Forgets the head and what was consumed. If nothing else is there, every block goes back to its pool.
    void next();
    /// Gives all blocks back, and with them the head; what was not consumed is kept in the memory that it needs and no more.
    void release();
    /// Nothing is kept at all.
    bool empty() const noexcept { return !main_ && !kept_; }

private:
    using check = std::conditional_t<std::is_same_v<Head, request_head>, request_framing, response_framing>;

    void move_rest(block to);
    void restore();
    void read_head(bool answers_head);

    buffer_pool* pool_;
    std::size_t header_limit_;
    block main_;                       // the head, and behind it the body's bytes as long as there is
    block beside_;                     // no room in main_: a block for the body's bytes alone
    block fields_;                     // max_fields of `field`
    std::size_t begin_ = 0, end_ = 0;  // what is not consumed: in beside_ if it is there, else in main_
    std::unique_ptr<char[]> kept_;     // after release(): end_ bytes
    check check_;
    Head head_{};
    bool parsed_ = false;
};

extern template class incoming<request_head>;
extern template class incoming<response_head>;

}  // namespace sallyport::http
