// Fetches a secret from where the configuration says it is. Read anew each time, so that it can be changed in place.
#pragma once

#include "gateway/config/configuration.hpp"
#include "workflows/result.hpp"
#include "workflows/secret.hpp"

namespace sallyport::config {

/// The variable's value, or the file's content without one line end at its end; 1 to 65,536 bytes without NUL. Fails
/// with invalid_input naming the source, never the content. Blocks on the file system; a pipe is refused, not waited for.
/// Any thread, as long as none changes the environment.
result<secret> read(const secret_source&);

}  // namespace sallyport::config
