# What nearly every file includes is compiled once, ahead: a third of a build's time. Two sets, because the pure floors
# know no Asio; GCC takes a set only where every macro that it met is the same (so no library's switches in `pure`).
# Sources include what they use all the same; clang-tidy reads them without these headers and says so.

add_library(precompiled_pure OBJECT "${CMAKE_SOURCE_DIR}/deploy/cmake/precompiled.cpp")
target_link_libraries(precompiled_pure PRIVATE boost_headers sallyport_options)
target_precompile_headers(precompiled_pure PRIVATE
    <algorithm> <array> <atomic> <charconv> <chrono> <condition_variable> <cstdint> <cstring> <exception> <filesystem>
    <functional> <map> <memory> <memory_resource> <mutex> <optional> <span> <string> <string_view> <thread>
    <unordered_map> <utility> <variant> <vector>
    <boost/system/result.hpp>)

add_library(precompiled_asio OBJECT "${CMAKE_SOURCE_DIR}/deploy/cmake/precompiled.cpp")
target_link_libraries(precompiled_asio PRIVATE boost_json asio sallyport_options)
get_target_property(pure precompiled_pure PRECOMPILE_HEADERS)
target_precompile_headers(precompiled_asio PRIVATE ${pure}
    <boost/asio/as_tuple.hpp> <boost/asio/awaitable.hpp> <boost/asio/basic_stream_socket.hpp>
    <boost/asio/basic_waitable_timer.hpp> <boost/asio/cancellation_signal.hpp> <boost/asio/co_spawn.hpp>
    <boost/asio/executor_work_guard.hpp> <boost/asio/generic/stream_protocol.hpp> <boost/asio/io_context.hpp>
    <boost/asio/ip/address.hpp> <boost/asio/post.hpp> <boost/asio/this_coro.hpp> <boost/asio/use_awaitable.hpp>
    <boost/json/array.hpp> <boost/json/object.hpp> <boost/json/parse.hpp> <boost/json/serialize.hpp> <boost/json/value.hpp>)

# use_precompiled(TARGET): of the two sets, the one that fits what the target links.
function(use_precompiled target)
    get_target_property(asio_below ${target} USES_ASIO)
    if(asio_below)
        target_precompile_headers(${target} REUSE_FROM precompiled_asio)
    else()
        target_precompile_headers(${target} REUSE_FROM precompiled_pure)
    endif()
endfunction()
