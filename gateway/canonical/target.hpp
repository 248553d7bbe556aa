// The request target in the one form that is judged, shown, signed and sent (semantics.md, "Paths"). Escapes of
// unreserved characters are decoded, others kept with upper-case digits, and in the path what RFC 3986 does not allow
// there unescaped (`"<>[]^`{|}`) is escaped: no two texts for one path. What servers resolve differently is refused.
//
// In two steps, because the route decides about two things and is found by the path: `read_target` gives the form and
// says whether they occur; `refused_by` is asked with what any route keeps, before the identity is looked at, and
// with the route's own options once it is known.
#pragma once

#include "workflows/result.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace sallyport {

struct target_options {
    bool keep_encoded_slash = false;    // `encoded_slash: keep`
    bool keep_path_parameters = false;  // `path_parameters: keep`
};

/// Views into the raw target, or into the scratch string where something had to change.
struct canonical_target {
    std::string_view path;                  // begins with `/`
    std::optional<std::string_view> query;  // without the `?`; a `?` with nothing behind it is an empty one
    bool has_encoded_slash = false;         // `%2F` in the path
    bool has_path_parameter = false;        // `;` or `%3B` in the path

    /// `malformed_request` if it has what is not kept.
    std::optional<failure> refused_by(target_options) const;
};

/// `raw` as it stands in the request line, `host` the Host field's value. Origin-form, or absolute-form whose authority is
/// Host (letter case and the scheme's own port aside); everything else is `malformed_request`, `*` too. `scratch` is
/// overwritten only when the form differs from `raw`, and must then live as long as the views.
result<canonical_target> read_target(std::string_view raw, std::string_view host, std::string& scratch);

/// What is asked of the upstream: its base path (no final slash), the rest behind the route's prefix (may be empty), the
/// query. Never empty: no path at all is `/`.
std::string join_target(std::string_view base, std::string_view rest, std::optional<std::string_view> query);
void append_target(std::string& to, std::string_view base, std::string_view rest, std::optional<std::string_view> query);

/// The host of an authority in lower case, without port: what `host:` of a route is compared with. `[::1]` keeps its
/// brackets.
std::string host_name(std::string_view authority);

}  // namespace sallyport
