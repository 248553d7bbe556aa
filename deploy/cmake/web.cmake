# The approvers' pages: web/ is bundled by npm's packages, and every file that comes out becomes part of the binary.
# Configuring needs no npm; building floor_web does.

find_program(NODE node)
find_program(NPM npm)

set(web_source "${CMAKE_SOURCE_DIR}/web")
set(web_build "${CMAKE_BINARY_DIR}/web")
# Beside what it vouches for, so that several build directories share one installation.
set(web_installed "${web_source}/node_modules/.installed")

file(GLOB_RECURSE web_sources CONFIGURE_DEPENDS "${web_source}/src/*")
list(APPEND web_sources "${web_source}/build.mjs" "${web_source}/embed.mjs" "${web_source}/tsconfig.json")

if(NODE AND NPM)
    add_custom_command(OUTPUT "${web_installed}"
        COMMAND "${NPM}" ci --no-audit --no-fund --loglevel=error
        COMMAND "${CMAKE_COMMAND}" -E touch "${web_installed}"
        DEPENDS "${web_source}/package.json" "${web_source}/package-lock.json"
        WORKING_DIRECTORY "${web_source}" COMMENT "Installing what the pages are built with" VERBATIM)
    add_custom_command(OUTPUT "${web_build}/assets.S" "${web_build}/assets_table.cpp"
        COMMAND "${NODE}" build.mjs --out "${web_build}/dist"
        COMMAND "${NODE}" embed.mjs "${web_build}/dist" "${web_build}"
        DEPENDS "${web_installed}" ${web_sources}
        WORKING_DIRECTORY "${web_source}" COMMENT "Building the pages" VERBATIM)
else()
    add_custom_command(OUTPUT "${web_build}/assets.S" "${web_build}/assets_table.cpp"
        COMMAND "${CMAKE_COMMAND}" -E echo "The pages need node and npm (deploy/packages.txt); install them and configure again."
        COMMAND "${CMAKE_COMMAND}" -E false VERBATIM)
endif()

add_library(floor_web STATIC "${web_source}/assets.cpp" "${web_build}/assets_table.cpp" "${web_build}/assets.S")
target_include_directories(floor_web PUBLIC "${CMAKE_SOURCE_DIR}")
# Our warnings are C++ ones, which the assembler's driver would complain about.
target_compile_options(floor_web PRIVATE "$<$<COMPILE_LANGUAGE:CXX>:$<TARGET_PROPERTY:sallyport_options,INTERFACE_COMPILE_OPTIONS>>")
