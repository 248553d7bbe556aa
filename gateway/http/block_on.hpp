// For threads that are no core: runs a coroutine on a core and waits for its end. Start-up, shutdown and tests.
#pragma once

#include "gateway/http/async.hpp"
#include "gateway/http/core.hpp"

#include <boost/asio/co_spawn.hpp>

#include <exception>
#include <future>
#include <utility>

namespace sallyport::http {

/// `make` is called on the core and gives the awaitable<void> to run; what that throws is thrown here. Never on the core's
/// own thread, which would wait for itself.
template <class Make>
void block_on(core& where, Make make)
{
    std::promise<void> ended;
    auto waiting = ended.get_future();
    // `make` stays here: as a coroutine, it looks for its captures in itself until its end.
    where.post([&where, &ended, &make] {
        boost::asio::co_spawn(where.get_executor(), make(), [&ended](std::exception_ptr error) {
            if (error)
                ended.set_exception(std::move(error));
            else
                ended.set_value();
        });
    });
    waiting.get();
}

}  // namespace sallyport::http
