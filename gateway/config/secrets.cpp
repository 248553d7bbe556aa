#include "gateway/config/secrets.hpp"

#include "gateway/config/read_file.hpp"

#include <cstdlib>
#include <string>

namespace sallyport::config {
namespace {

constexpr std::size_t longest = 65'536;  // bytes

result<secret> checked(std::string value, const std::string& source)
{
    secret s(std::move(value));
    if (s.empty()) return fail(problem::invalid_input, "the secret in " + source + " is empty");
    if (s.reveal().size() > longest) return fail(problem::invalid_input, "the secret in " + source + " is too long");
    if (s.reveal().find('\0') != std::string_view::npos)
        return fail(problem::invalid_input, "the secret in " + source + " has a NUL byte in it");
    return s;
}

}  // namespace

result<secret> read(const secret_source& source)
{
    switch (source.kind) {
    case secret_source::kind::env: {
        const char* text = std::getenv(source.env.c_str());
        if (!text) return fail(problem::invalid_input, "the environment variable " + source.env + " is not set");
        return checked(text, "the environment variable " + source.env);
    }
    case secret_source::kind::file: {
        auto content = read_file(source.file, longest + 2);
        if (!content) return fail(problem::invalid_input, "the secret file " + source.file.string() + " " + content.error().detail);
        if (content->ends_with('\n')) content->pop_back();
        if (content->ends_with('\r')) content->pop_back();
        return checked(*std::move(content), "the file " + source.file.string());
    }
    }
    return fail(problem::internal_error, "a secret has no source");
}

}  // namespace sallyport::config
