// The upstream's header fields as the agent gets them.
#pragma once

#include "gateway/canonical/headers.hpp"
#include "gateway/forward/redaction.hpp"
#include "gateway/http/head.hpp"

namespace sallyport::forward {

/// In place of what `out` had: without hop-by-hop fields, `Sallyport-*` and Content-Length (whoever writes the answer frames
/// it), and with the credential replaced in values. A field with the credential in its name is left out. `forms` may be
/// null.
void answer_fields(const http::response_head&, const credential_forms* forms, header_list& out);

}  // namespace sallyport::forward
