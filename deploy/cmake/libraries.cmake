# Every library that we use, by the name that add_floor() knows. All of them are Debian packages
# (deploy/packages.txt); nothing is downloaded by the build.

find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(OpenSSL 3 REQUIRED)
find_package(Boost 1.81 REQUIRED COMPONENTS json url)
find_package(yaml-cpp REQUIRED)
find_package(CLI11 REQUIRED)
find_package(spdlog REQUIRED)
find_package(mimalloc REQUIRED)
find_package(CURL REQUIRED)
pkg_check_modules(pqxx_pc REQUIRED IMPORTED_TARGET libpqxx)
pkg_check_modules(fido2_pc REQUIRED IMPORTED_TARGET libfido2)
pkg_check_modules(re2_pc REQUIRED IMPORTED_TARGET re2)
pkg_check_modules(libdeflate_pc REQUIRED IMPORTED_TARGET libdeflate)

add_library(boost_headers INTERFACE)
target_link_libraries(boost_headers INTERFACE Boost::headers)
target_compile_definitions(boost_headers INTERFACE
    BOOST_ASIO_SEPARATE_COMPILATION BOOST_BEAST_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED BOOST_ASIO_DISABLE_BOOST_COROUTINE
    # Coroutine frames come from operator new, which knows better than Asio which memory to give again; and what Asio takes for
    # itself too, without an alignment that it does not need.
    BOOST_ASIO_DISABLE_AWAITABLE_FRAME_RECYCLING BOOST_ASIO_DISABLE_STD_ALIGNED_ALLOC BOOST_ASIO_DISABLE_BOOST_ALIGN)

# Asio and Beast are compiled once, here.
add_library(asio STATIC "${CMAKE_SOURCE_DIR}/deploy/cmake/asio.cpp")
target_link_libraries(asio PUBLIC boost_headers OpenSSL::SSL Threads::Threads)

add_library(boost_json INTERFACE)
target_link_libraries(boost_json INTERFACE boost_headers Boost::json)
add_library(boost_url INTERFACE)
target_link_libraries(boost_url INTERFACE boost_headers Boost::url)
add_library(openssl INTERFACE)
target_link_libraries(openssl INTERFACE OpenSSL::SSL OpenSSL::Crypto)
add_library(pqxx INTERFACE)
target_link_libraries(pqxx INTERFACE PkgConfig::pqxx_pc)
add_library(fido2 INTERFACE)
target_link_libraries(fido2 INTERFACE PkgConfig::fido2_pc)
add_library(re2 INTERFACE)
target_link_libraries(re2 INTERFACE PkgConfig::re2_pc)
add_library(yaml_cpp INTERFACE)
target_link_libraries(yaml_cpp INTERFACE yaml-cpp)
add_library(cli11 INTERFACE)
target_link_libraries(cli11 INTERFACE CLI11::CLI11)
# cpp-httplib is compiled once too, into Debian's shared library.
add_library(httplib INTERFACE)
target_link_libraries(httplib INTERFACE cpp-httplib OpenSSL::SSL OpenSSL::Crypto)
target_compile_definitions(httplib INTERFACE CPPHTTPLIB_OPENSSL_SUPPORT)
add_library(spdlog_compiled INTERFACE)
target_link_libraries(spdlog_compiled INTERFACE spdlog::spdlog)
add_library(libdeflate INTERFACE)
target_link_libraries(libdeflate INTERFACE PkgConfig::libdeflate_pc)
add_library(curl INTERFACE)
target_link_libraries(curl INTERFACE CURL::libcurl)
