# How our own code is compiled. Libraries of others are SYSTEM and keep their warnings to themselves.

find_program(CCACHE ccache)
if(CCACHE)
    # With precompiled headers ccache wants to be told that they hold no __TIME__; the base directory lets checkouts of
    # different places share what was compiled.
    set(CMAKE_CXX_COMPILER_LAUNCHER "${CMAKE_COMMAND}" -E env CCACHE_SLOPPINESS=pch_defines,time_macros
        "CCACHE_BASEDIR=${CMAKE_SOURCE_DIR}" CCACHE_NOHASHDIR=1 "${CCACHE}")
    set(CMAKE_C_COMPILER_LAUNCHER ${CMAKE_CXX_COMPILER_LAUNCHER})
endif()

set(SALLYPORT_SANITIZE "" CACHE STRING "What -fsanitize= takes: address,undefined or thread")

add_library(sallyport_options INTERFACE)
target_compile_options(sallyport_options INTERFACE
    -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wold-style-cast -Wcast-qual -Wconversion
    -Wsign-conversion -Wimplicit-fallthrough -Wswitch-enum -Wundef -Wformat=2 -Werror
    # GCC 12 sees overruns, dangling and uninitialised memory in correct std::string and coroutine code.
    -Wno-restrict -Wno-mismatched-new-delete -Wno-array-bounds -Wno-stringop-overread)

# The same for libraries and executables: a precompiled header fits only what is compiled alike.
add_compile_options(-fPIE -pthread -fstack-protector-strong -fno-plt "-ffile-prefix-map=${CMAKE_SOURCE_DIR}/=")
add_compile_definitions($<$<CONFIG:Release>:_FORTIFY_SOURCE=2>)
add_link_options(-pie -pthread -Wl,-z,relro,-z,now)
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG -g1")
set(CMAKE_CXX_FLAGS_DEBUG "-O0 -g")
if(SALLYPORT_SANITIZE)
    set(CMAKE_CXX_FLAGS_DEBUG "-O1 -g1")  # at -O0 the tests take minutes
endif()

find_program(MOLD mold)
find_program(LLD ld.lld)
if(MOLD)
    add_link_options(-fuse-ld=mold)
elseif(LLD)
    add_link_options(-fuse-ld=lld)
endif()

if(SALLYPORT_SANITIZE)
    add_compile_options(-fsanitize=${SALLYPORT_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
    add_link_options(-fsanitize=${SALLYPORT_SANITIZE})
    target_compile_options(sallyport_options INTERFACE -Wno-error=maybe-uninitialized -Wno-error=stringop-overflow -Wno-error=tsan)
endif()
