// Answers of the gateway's own: JSON, and problem documents with the fields that go with each.
#pragma once

#include "gateway/http/exchange.hpp"
#include "gateway/identity/problem_document.hpp"
#include "gateway/metrics/metrics.hpp"
#include "workflows/result.hpp"

#include <span>
#include <string_view>

namespace sallyport::serve {

/// `application/json`, never stored by caches.
http::awaitable<void> answer_json(http::exchange&, int status, std::string_view body, std::span<const field> more = {});

/// The problem document, with `WWW-Authenticate`, `Retry-After`, `Sallyport-Action` and `Sallyport-Hold` where they belong.
http::awaitable<void> answer_problem(http::exchange&, const failure&, const identity::problem_context& = {});

/// Counts what is refused before a verdict.
void count_refusal(metrics::registry&, problem);

}  // namespace sallyport::serve
