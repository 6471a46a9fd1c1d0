#pragma once

/// Marks what a shared build of scalekit exports; everything else is hidden.
#define SCALEKIT_EXPORT __attribute__((visibility("default")))
