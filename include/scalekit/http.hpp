#pragma once

/// The room http: values in, headers out, for whatever server the host uses. See docs/http.md.

#include "scalekit/http/etag.hpp"
#include "scalekit/http/header.hpp"
#include "scalekit/http/limit_headers.hpp"
#include "scalekit/http/next_link.hpp"
